"""Many trainings as one stacked net."""
