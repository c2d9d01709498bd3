"""Scores of autoencoders, and the principal components beside which they stand."""
