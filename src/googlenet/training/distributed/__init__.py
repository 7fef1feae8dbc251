"""Several processes, on one machine or many, that learn as one."""

from .world import World, joined, leads, processes, restarted

__all__ = ["World", "joined", "leads", "processes", "restarted"]
