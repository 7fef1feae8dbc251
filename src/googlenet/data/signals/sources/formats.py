"""Which files of signals are read, and of those that are not what to do with each."""

from __future__ import annotations

from pathlib import Path

from ....errors import InputError
from ..recordings.readers.formats import EXTENSIONS as RECORDINGS

TEXTS = (".tsv", ".txt", ".csv", ".dat", ".asc")
FRAMES = (".parquet", ".feather")
# The first of a name is taken; of .gz, what is in it.
EXTENSIONS = (
    *(".tsv", ".ts", ".txt", ".csv", ".arff", ".parquet", ".npz", ".xlsx", ".feather", ".npy", ".dat", ".asc", ".gz"),
)

_ARRAYS = "numpy.savez('signals.npz', X=..., y=...)"
_WINDOWS = f"cut it to windows and save them with {_ARRAYS}, or as a table with a row for each"
# By extension: what it is, and what to do.
FOREIGN = {
    ".mp3": ("a recording", f"read it with soundfile.read, {_WINDOWS}"),
    ".atr": ("the annotations of a WFDB recording", f"read them with wfdb.rdann, {_WINDOWS}"),
    ".nc": ("a NetCDF file", f"read it with xarray, and save it with {_ARRAYS}"),
    ".json": ("JSON", f"read it with json.load, and save it with {_ARRAYS}"),
    ".jsonl": ("JSON", "read it with pandas.read_json(..., lines=True), and save it with to_csv(..., index=False)"),
    ".pkl": ("a pickle, which may run any code when it is read", f"where it was made, save it with {_ARRAYS}"),
    ".pickle": ("a pickle, which may run any code when it is read", f"where it was made, save it with {_ARRAYS}"),
    ".pt": ("a file of tensors", f"read it with torch.load(..., weights_only=True), and save it with {_ARRAYS}"),
    ".xls": ("a workbook of an old Excel", "open it in Excel, and save it as .xlsx or CSV UTF-8"),
    ".ods": ("a workbook of LibreOffice", "open it there, and save it as .xlsx or CSV"),
    ".rds": ("a file of R", "read it there, and save it with write.csv(..., row.names = FALSE)"),
    ".rda": ("a file of R", "read it there, and save it with write.csv(..., row.names = FALSE)"),
    ".sav": ("a file of SPSS", "read it with pandas.read_spss, and save it with to_csv(..., index=False)"),
    ".tdms": ("a recording", f"read it with nptdms, {_WINDOWS}"),
    ".zip": ("an archive", "unpack it, and name a file in it"),
    ".tar": ("an archive", "unpack it, and name a file in it"),
    ".7z": ("an archive", "unpack it, and name a file in it"),
}
for _same, _as in ((".pth", ".pt"), (".rdata", ".rda"), (".tgz", ".tar"), (".qrs", ".atr")):
    FOREIGN[_same] = FOREIGN[_as]


def kind_of(path: Path) -> str:
    """The extension of what is read: ``.txt`` for a file without any, ``.csv`` for ``.csv.gz``.

    Raises:
        InputError: If it is not read, with what to do.
    """
    kind = path.suffix.lower()
    if kind == ".gz":
        kind = Path(path.stem).suffix.lower() or ".txt"
        if kind not in TEXTS:
            raise InputError(f"{path}: of packed files, tables of text are read ({', '.join(TEXTS)}). Unpack it.")
    if kind in RECORDINGS:
        raise InputError(
            f"{path} is read as a recording, to be cut into windows, and not as a table of signals. If it holds a "
            f"signal a row, save those with {_ARRAYS}."
        )
    if kind in FOREIGN:
        what, cure = FOREIGN[kind]
        raise InputError(f"{path} is {what}, which is not read as signals: {cure}.")
    if kind and kind not in EXTENSIONS:
        raise InputError(f"{path}: signals are read from {', '.join(EXTENSIONS)}, not from {kind!r}.")
    return kind or ".txt"
