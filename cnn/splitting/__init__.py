"""Splits into training, validation and test: their parts, and those of pictures."""
