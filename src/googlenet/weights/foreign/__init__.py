"""Files of other people's programs: each to our weights, and where it can be, back."""
