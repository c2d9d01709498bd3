"""A teacher's class: its list, members, handouts, join links and grades."""
