"""CSV files that people wrote: read with care, and what is no CSV is named."""
