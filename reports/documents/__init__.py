"""Notebook, paper, table and PDF."""
