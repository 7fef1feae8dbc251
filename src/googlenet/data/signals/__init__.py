"""Signals: from tables and arrays to batches."""
