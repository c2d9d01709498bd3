"""A server that speaks W&B's protocol on the loopback address."""
