"""Says that a training is at work in a folder for as long as its process lives; one that is killed leaves nothing."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ...files import fcntl


class Lock:
    """One process's hold on a folder. Where folders cannot be locked (Windows, some networks) nobody is kept out."""

    def __init__(self) -> None:
        self._descriptor: int | None = None
        self.held = False

    def take(self, folder: Path) -> bool:
        """Takes a folder that is there; whether it was free, or is held by this very lock.

        Raises:
            OSError: If the folder cannot be opened.
        """
        if self.held or fcntl is None:
            self.held = True
            return True
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.held = os.path.samestat(os.fstat(descriptor), folder.stat())  # else it was removed, and made again
        except OSError as error:
            self.held = error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.ENOENT)
        if self.held:
            self._descriptor = descriptor
        else:
            os.close(descriptor)
        return self.held

    def release(self) -> None:
        """Gives the folder up."""
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self.held = None, False
