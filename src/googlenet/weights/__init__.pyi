from .checkpoint import network_of as network_of
from .create import read_source as read_source
from .foreign.pytorch.torchvision import from_torchvision as from_torchvision
from .foreign.pytorch.torchvision import to_torchvision as to_torchvision
from .identity import identify as identify
from .inflation import collapse as collapse
from .inflation import inflate as inflate
