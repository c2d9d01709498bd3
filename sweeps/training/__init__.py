"""Trials as trainings: the only room of sweeps that imports cnn's training."""
