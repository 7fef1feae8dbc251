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
KERNEL = 512  # samples that a convolution sees along an axis; its stride, padding and dilation
WINDOW = 64  # samples of a pool or a response norm along an axis
MEMBERS = 256  # networks side by side
KERNELS = 4096  # random ones that compete beside a network, at each dilation
NAME = 256  # letters of the name of a layer
SIDE = 2048  # of what a network sees, pixels
INPUT = 1 << 26  # numbers that a network reads of one example
MAP, MAP_SLACK = 10, 160 * MB  # bytes of a layer's output for one input: for each of its weights, and so many more
WORK, WORK_SLACK = 10_000, 20_000_000_000  # multiply-adds for one input: for each byte of weights, and so many more

# ----------------------------------------------------------------- what is typed
WIDEST = 1000  # times as many channels as an architecture has
WHOLE = 2**32 - 1  # a whole number of a recipe, seeds among them, as NumPy and scikit-learn take them

# ----------------------------------------------------------------- files of weights
HEADER = 100 * MB  # of a safetensors file, as the format has it
FIELDS = 1_000_000  # of the protocol buffers of one file
PROTOBUF = 2**31  # bytes of a protocol buffer, as the format has it
AXES = 32  # of a tensor
KEY = 4096  # bytes of a key of a LevelDB table
DICTIONARIES, DICTIONARIES_IN_ALL = 4, 1000  # in each other, in a file of torch.save, and together
OPERATIONS = 2_000_000  # of a pickle, and bytes of one in an archive
TENSOR_NAME = 512  # letters of the name of a tensor
HOTTEST = 20  # temperature of probabilities; the coldest is one by it
FAINTEST = 1_000_000  # the least smoothing of labels that is undone is one by it
SCORES = 2000  # probabilities of right labels that are kept with a network
NODES = 20_000  # of an exported graph
TAGS = 1_000_000  # of the XML of one
EXPORTED = 2**31  # bytes of a file of one
BESIDE = 200_000  # numbers of an exported graph beside the parameters of its architecture

# ----------------------------------------------------------------- run folders
LEARNED = 1 << 31  # bytes of the list of what was learned from, 17 for each example
LINES = 256 * MB  # bytes of the lines of epochs
RECORD = 256 * MB  # bytes of a record, which may name every file that was left out

# ----------------------------------------------------------------- pictures
MAX_PIXELS = 128_000_000  # of a picture that is decoded
AT_A_FRACTION = 4  # a JPEG may have so many times more: it is decoded at a fraction of its size
DECODED, DECODED_EACH = 440 * MB, 24  # bytes that decoding takes, and so many more for each byte of the file
SCANNED, SCANNED_EACH = 500_000_000, 100  # pixels that a JPEG of many scans goes through, and more for each byte
ICON = 4_500_000  # pixels of an icon, of which Windows has 256 × 256
SLOW, SLOW_EACH = 1_000_000, 256  # pixels that are decoded in Python, and more for each byte of the file
FASHION_MNIST = 48_000_000  # bytes of a file of the set, unpacked
SCALED = 32_000_000  # pixels of a picture that several crops are cut out of

# ----------------------------------------------------------------- what sentences repeat of a file
QUOTED = 80  # letters of a name or a cell
JSON_DIGITS = 20  # of a whole number in JSON, and its sign: what 64 bits hold
LISTED = 100  # names of a list
COMPARED = 5000  # names that a mistyped one is compared with

# ----------------------------------------------------------------- tables and arrays
NAME_OF_FILE = 255  # bytes of the name of a file that is looked for
ARRAYS = 10_000  # of an NPZ file
HEADER_OF_ARRAY = 65_536  # bytes of the header of an array of NumPy's
EXAMPLE = 256  # bytes that an example takes beside its numbers: its name, its label, its place
CELL = 8  # bytes that a cell of a packed table takes, at least
PACKED_COLUMNS = 100_000  # of a packed table, and parts of a workbook
SHEET, SHEET_EACH = 32 * MB, 40  # bytes that a workbook unpacks to, and so many more for each of its own
ELEMENTS = 1_000_000  # of a part of a workbook, and cells of its sheet
ROWS_OF_SHEET = 1 << 20  # as Excel has it
EMPTY_ROWS = 100_000  # of a sheet, and one for each byte of the workbook: those before a far one are not written
SAMPLE = 2  # bytes that a sample of a recording takes, at least
ANNOTATIONS = 2 * MB  # bytes of a file of beats and notes: a week of beats
RATIO = 1 << 18  # between two rates, in whole numbers: so long is a filter, about
UPSAMPLED = 1000  # times a recording may be drawn out to another rate
HDF5_DEPTH, HDF5_OBJECTS = 64, 100_000  # groups in each other, and all objects, of an HDF5 file
PICTURE = 2048  # the same of a picture, which is looked at one by one
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


PARTS = 1_000_000  # of a large prediction
LABEL = 32  # bytes of the number of a class in a tar
PATH = 8192  # letters of a path in a table of paths

# ----------------------------------------------------------------- what is said
SENTENCE = 1000  # letters; names and cells of files are of any length, and what is longer is cut in its middle

# ----------------------------------------------------------------- what comes over the network
FETCHED = 1 << 30  # bytes of weights whose origin does not say how many there are

FORM_FILES = 1000  # of a form that a service is sent
HTTP_HEAD = 16_384  # bytes of the head of a request
SENT_ROWS = 1_000_000  # of a table that a service is sent
TENSOR_NUMBERS = 1 << 28  # of a tensor of a request
TOKEN = 4096  # bytes of the file of a token

# ----------------------------------------------------------------- native operators
COMPILING = 120  # seconds that the compiler may take
NATIVE_LIBRARY = 16 * MB  # of a compiled operator
