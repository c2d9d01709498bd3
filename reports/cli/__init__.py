"""Commands of reports, a file each."""
