"""Sweep files: reading, checking, and the search spaces that they define."""
