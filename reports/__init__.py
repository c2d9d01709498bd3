"""Run folders, studies and the contest to one HTML file."""
