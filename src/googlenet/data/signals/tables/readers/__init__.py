"""From the columns of a table to signals: a row each, a sample a row, and rows without a header."""
