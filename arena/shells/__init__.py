"""Scripts by which bash, zsh and fish ask for completion."""
