"""Agents started, watched and replaced, on one machine or a cluster."""
