"""The one door to cnn: trials as trainings."""
