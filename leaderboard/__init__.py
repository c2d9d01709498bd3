"""A solution file, teams, three attempts each, scores and ranks."""
