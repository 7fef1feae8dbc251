"""Maps of what in an input decided, and whether they can be believed."""
