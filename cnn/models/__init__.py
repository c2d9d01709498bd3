"""The nets, written by hand: one file per net, and a table of their names."""
