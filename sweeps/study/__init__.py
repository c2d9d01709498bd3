"""The study folder: its file, journal, leases and commands."""
