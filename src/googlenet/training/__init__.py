"""Training: recipes as data, and one loop."""
