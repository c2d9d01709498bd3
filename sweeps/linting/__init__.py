"""Checks of sweep files against what trainings take: all faults, each with its fix."""
