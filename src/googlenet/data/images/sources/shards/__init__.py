"""Shards: tars of labelled pictures as the package ``webdataset`` writes and reads them.

A picture is ``KEY.jpg`` (or another ending) with ``KEY.cls``, the number of its class. What ``googlenet shard`` writes
has an index besides, which says where each picture lies, what it is, and what was found when it was looked through: so
a set is read by place, in any order, and nothing is decoded before it is wanted. Tars of others are gone through by
their heads.
"""

from .find import are_shards, find_shards
from .writing import left_in, write_shards

__all__ = ["are_shards", "find_shards", "left_in", "write_shards"]
