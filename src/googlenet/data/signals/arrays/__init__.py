"""Signals that users hold in memory: arrays, lists and frames."""
