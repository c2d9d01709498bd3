"""The command line before a command runs: words, options and defaults."""
