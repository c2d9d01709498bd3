"""Builders and servers that many tests share."""
