"""Where labelled pictures are found: folders, tables, shards."""
