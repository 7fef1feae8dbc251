"""Tables of signals: which column means what, found, said, kept and checked."""
