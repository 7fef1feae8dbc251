"""Pictures: from files and arrays to batches."""
