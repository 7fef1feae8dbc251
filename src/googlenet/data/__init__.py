"""From what people have (folders, tables, names) to batches of numbers."""
