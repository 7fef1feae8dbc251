"""Weight files: ours, and those of others."""
