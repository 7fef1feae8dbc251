"""Tables of text: their encoding, separators, numbers, dates and columns."""
