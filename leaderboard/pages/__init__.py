"""Pages of the contest as HTML and their texts."""
