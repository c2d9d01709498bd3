"""Exercises: notebooks with holes, in nbgrader's cell format, and the checker that says what is wrong with an answer."""
