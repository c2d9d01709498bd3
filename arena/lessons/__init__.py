"""Lessons: notebooks that a student reads from top to bottom and runs, each with cells to change and what should be seen."""
