"""The process that listens: its connections, its end, and several of them side by side."""
