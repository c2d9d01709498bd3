"""Sweep files: read, checked, and what they sample."""
