"""How much a file from a stranger may ask for: every limit on what is read, in one place.

A header's claim is compared with these, and with the size of its file, before anything of that size is made. Together
they keep the program's bound: reading a file takes at most 30 times its size and 500 MB of memory, and time in
proportion to its size. ``docs/security.md`` says where each is used.
"""

from __future__ import annotations

MB = 1 << 20

# ----------------------------------------------------------------- networks: of an architecture and its header
CLASSES = 1_000_000  # that a classifier may tell apart
INPUT_CHANNELS = 4096
CHANNELS = 65_536  # of a convolution, or units of a linear layer
LAYERS = 1000  # of a network
BRANCHES = 64  # of an Inception module
KERNEL = 1024  # samples of a window, its stride, padding and dilation
MEMBERS = 256  # networks side by side
NAME = 256  # letters of the name of a layer
SIDE = 2048  # of what a network sees, pixels
INPUT = 1 << 26  # numbers that a network reads of one example
PARAMETERS = 1 << 31  # of a network

# ----------------------------------------------------------------- files of weights
HEADER = 100 * MB  # of a safetensors file, as the format has it
JSON_DEPTH = 64  # lists and objects in each other
FIELDS = 1_000_000  # of the protocol buffers of one file
PROTOBUF = 2**31  # bytes of a protocol buffer, as the format has it
AXES = 32  # of a tensor
KEY = 4096  # bytes of a key of a LevelDB table
DICTIONARIES = 4  # in each other, in a file of torch.save
NODES = 100_000  # of an exported graph

# ----------------------------------------------------------------- pictures
MAX_PIXELS = 128_000_000  # of a picture that is decoded
AT_A_FRACTION = 4  # a JPEG may have so many times more: it is decoded at a fraction of its size

# ----------------------------------------------------------------- what sentences repeat of a file
QUOTED = 80  # letters of a name or a cell
LISTED = 100  # names of a list
COMPARED = 5000  # names that a mistyped one is compared with

# ----------------------------------------------------------------- tables and arrays
COLUMNS = 500_000  # that a header names; a signal of more samples stands in a table without one, or in an NPZ
COLUMN = 256  # letters of a column's name; in a longer one no number is looked for
TIME = 100  # letters of a date and its time of day
DIGITS = 300  # of a whole number: float64 holds no more
PADDED = 1_000_000  # empty cells that short rows of a table of pictures are filled up with
WORDS = 16  # of the name of a class
BAD_ROWS = 100_000  # of a table; of each there is a sentence
SIGNALS = 5_000_000  # of a file; each takes some 200 bytes beside its samples
UNPACKED, UNPACKED_SLACK = 10, 128 * MB  # what a file may unpack to: so many times its size, and so much more


def unpacked(size: int) -> int:
    """Bytes that a packed file of ``size`` bytes may unpack to; a number counts as the eight that it becomes."""
    return UNPACKED * size + UNPACKED_SLACK
