"""Trial of a team's own net before its training."""
