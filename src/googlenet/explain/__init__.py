"""Why a network said what it said, and what its parts see.

The names below are public. Each is imported at first use.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
