"""Commands of sweeps, a file each."""
