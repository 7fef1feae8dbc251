"""Files by the million: what is to be labelled is cut into numbered parts, and every part is written once."""
