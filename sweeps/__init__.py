"""A sweep file to trials, trials to run folders."""
