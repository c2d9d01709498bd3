"""Trained nets at work: predict, export, inspect."""
