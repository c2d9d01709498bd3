"""A neural network from scratch, to be read in ten minutes."""
