"""Volumes and clips: from files and arrays to batches."""
