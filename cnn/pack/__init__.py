"""What students of a contest are given."""
