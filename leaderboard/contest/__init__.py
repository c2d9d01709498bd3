"""A contest opened: attempts, ranking, names, limits."""
