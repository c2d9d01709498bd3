"""What teams and hosts do to a contest, each as one transaction."""
