"""Probabilities that mean what they say: a temperature, and what it is found on; ranges for 8 bits."""
