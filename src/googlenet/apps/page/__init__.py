"""A page that opens from disk, with networks in it: what it holds, and the graph that it computes."""
