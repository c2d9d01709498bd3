"""Commands of cnn, a file each."""
