"""The network that a training begins with: a fresh one, or one with given weights."""
