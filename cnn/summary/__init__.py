"""Summaries of nets for `arena models`: costs, and layers with their receptive fields."""
