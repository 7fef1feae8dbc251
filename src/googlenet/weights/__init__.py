"""Weights: files of ours and of others, and what can be done with them.

The names below are public, each imported at first use. A set of weights goes from :func:`read_source` through
:func:`inflate` or :func:`collapse` to :func:`network_of`; :func:`identify` says what an unknown file is.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
