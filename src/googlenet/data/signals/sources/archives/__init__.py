"""The text formats of the archives, which have a header of their own."""
