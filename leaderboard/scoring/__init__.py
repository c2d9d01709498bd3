"""Scores, intervals and significance."""
