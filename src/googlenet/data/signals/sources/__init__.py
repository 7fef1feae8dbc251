"""Tables as files: text in all its dialects, sheets, Parquet, and the arrays of an NPZ."""
