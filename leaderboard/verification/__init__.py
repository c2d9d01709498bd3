"""Models of teams, run again in a sandbox."""
