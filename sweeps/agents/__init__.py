"""Agents: processes that claim trials and train them."""
