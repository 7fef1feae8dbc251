"""GoogLeNet, the Inception v1 family, exactly as published, for pictures, signals and volumes.

The names below are public, with those of :mod:`googlenet.weights`, :mod:`googlenet.data.builtin` and
:mod:`googlenet.errors`; all others may change without notice. Each is imported at first use, so that
``import googlenet`` is quick.
"""

import lazy_loader

from ._version import __version__ as __version__

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
