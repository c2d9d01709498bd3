"""Training of one net, many, or many as one."""
