"""Files that come and go: solutions, submissions, models, CSV."""
