"""Contests: a solution file, teams with three attempts each, scores and ranks."""
