"""Hyperparameter sweeps: a sweep file becomes a study, its trials become run folders."""
