"""Runs measured on data: metrics, and two beside each other; on examples that they did not learn from."""
