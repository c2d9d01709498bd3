"""Engines that propose trials and take their results."""
