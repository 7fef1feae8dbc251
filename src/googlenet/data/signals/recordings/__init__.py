"""Recordings as they come off the device: read in stretches, brought to one rate, cut into windows with labels."""
