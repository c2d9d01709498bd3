"""Spectrogram tiles: make, store, augment, batch."""
