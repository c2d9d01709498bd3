"""Strings of digits, as on cheques and in telephone numbers: drawn from test clips, cut into digits, and answered."""
