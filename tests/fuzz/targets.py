"""The readers of foreign data that are tried: one row a target, in it one a kind of file.

A file of the corpus is what a stranger would send, called ``corpus/TARGET/SOME-NAME`` with an ending that says which
kind it is. The fuzzer's own inputs have a byte in front that says that.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fuzz import mutate

HERE = Path(__file__).parent
CORPUS, BESIDE = HERE / "corpus", HERE / "beside"


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of file and what reads it.

    Attributes:
        ending: Of its files in the corpus.
        read: From the path of one; gives what a user is told beside it.
        mutate: Changes one in a way that leaves its checksums and its outer form whole; ``None`` for bytes alone.
        called: What it is called where it is read; by default ``x`` and the ending.
        beside: Lays what belongs beside it into a folder.
        stays_inside: Whether no other files may be looked at but those beside it.
    """

    ending: str
    read: Callable
    mutate: Callable | None = None
    called: str = ""
    beside: Callable | None = None
    stays_inside: bool = True

    @property
    def name(self):
        return self.called or f"x{self.ending}"


@dataclass(frozen=True, eq=False)
class Target:
    """Readers that are tried together.

    Attributes:
        name: For people.
        kinds: At most 256.
        packages: Of others, in Python, whose branches are followed as well as ours.
    """

    name: str
    kinds: tuple[Kind, ...]
    packages: tuple[str, ...] = ()


def files(name):
    """Lays the files of ``beside/NAME`` into a folder."""
    return lambda folder: shutil.copytree(BESIDE / name, folder, dirs_exist_ok=True)


# ----------------------------------------------------------------- what is read
def signals(path):
    from googlenet.data.signals.files import read_file
    from googlenet.errors import InputError

    try:
        table = read_file(path)
    except InputError as error:
        table = read_file(path, labelled=False)
        return [str(error), *table.notes, *(bad.reason for bad in table.bad.values())]
    return [*table.notes, *(bad.reason for bad in table.bad.values())]


def data(path, **options):
    from googlenet.data.find import Columns, find_data

    found = find_data(str(path), columns=Columns(**options))
    return [*found.notes, *(bad.reason for bad in found.bad)]


def arrays(path):
    from googlenet.errors import InputError

    try:
        said = signals(path)
    except InputError as error:
        said = [str(error)]
    return said + data(path)


def recording(path):
    from googlenet.data.signals.recordings.readers.formats import open_recordings
    from googlenet.data.signals.recordings.windows import Cut
    from googlenet.errors import InputError

    try:
        return data(path, cut=Cut(window="8samples", rate=100.0))
    except InputError as error:
        found = open_recordings(path, 100.0)
        for each in found:
            each.read(0, min(each.length, 1000))
        return [str(error), *(remark for each in found for remark in each.remarks)]


def annotations(path):
    from googlenet.data.signals.recordings.windows import Cut

    return data(path.parent / "rec.wav", cut=Cut(annotations=str(path), window="8samples"))


def wfdb(path):
    return recording(path.with_suffix(".hea"))


def picture(path):
    from googlenet.data.images.decode import look, open_picture

    open_picture(path)
    open_picture(path, channels=1, at_least=16)
    look(path)


def idx(path):
    from googlenet.data.builtin import _idx

    _idx(path, 16)


def weights(path):
    """As for prediction: the network is made, and run once."""
    from googlenet.inference.load import load

    predictor = load(path, engine="torch")
    _run(predictor.engine, predictor.preprocessing)


def exported(path):
    from googlenet.inference.load import load

    load(path)


def _run(engine, preprocessing):
    engine(preprocessing.example(1).numpy())


def arch(path):
    from googlenet.arch.serial import from_json, to_json

    assert from_json(to_json(from_json(text(path)))) is not None


def reads(path):
    from googlenet.data.kinds import preprocessing_from
    from googlenet.files import read_json

    preprocessing_from(read_json(path)).example(1)


def text(path):
    return path.read_bytes().decode("utf-8", "replace")


def part_of_run(*names):
    """What reads a file of a run, by the names of :class:`~googlenet.training.runs.folder.Run`."""

    def read(path):
        from googlenet.training.runs.folder import Run

        for name in names:
            getattr(Run(path.parent), name)()

    return read


def unfinished(path):
    from googlenet.weights.checkpoint import read_unfinished

    return read_unfinished(path).quirks


def foreign(path):
    from googlenet.errors import InputError
    from googlenet.weights.formats import read
    from googlenet.weights.identity import describe, identify

    said = []
    for reader in (lambda: [text for _, text in describe(identify(path))], lambda: read(path).quirks):
        try:
            said += reader()
        except InputError as error:
            said.append(str(error))
    return said


# ----------------------------------------------------------------- the rows
TABLE, ZIP, JSON, PROTOBUF = mutate.table, mutate.archive, mutate.json_text, mutate.protobuf
PARTS = {
    "run.json": part_of_run("record", "recipe"),
    "metrics.jsonl": part_of_run("history"),
    "learned.txt": part_of_run("learned"),
    "evaluation.json": part_of_run("evaluation"),
}
ROWS = (
    Target(
        "tables",
        (
            *(Kind(ending, signals, TABLE) for ending in (".csv", ".tsv", ".txt", ".dat")),
            Kind(".csv.gz", signals, mutate.gzipped(TABLE)),
        ),
    ),
    Target("archives", (Kind(".ts", signals, TABLE), Kind(".arff", signals, TABLE))),
    Target(
        "arrays",
        (
            Kind(".npz", arrays, ZIP),
            Kind(".npy", arrays, mutate.npy),
            Kind(".parquet", arrays),
            Kind(".feather", arrays),
            Kind(".xlsx", arrays, ZIP),
            Kind(".idx.gz", idx, mutate.gzipped(None)),
        ),
        ("openpyxl",),
    ),
    Target(
        "recordings",
        (
            Kind(".edf", recording, mutate.edf),
            Kind(".bdf", recording, mutate.edf),
            Kind(".wav", recording),
            Kind(".flac", recording),
            Kind(".mat", recording),
            Kind(".h5", recording),
            Kind(".hea", recording, TABLE, beside=files("wfdb")),
            Kind(".atr", wfdb, beside=files("wfdb")),
            Kind(".recording.csv", recording, TABLE),
            Kind(".recording.npy", recording, mutate.npy),
            Kind(".marks.csv", annotations, TABLE, "marks.csv", beside=files("marks")),
        ),
        ("edfio", "wfdb"),
    ),
    Target(
        "pictures",
        (
            Kind(".jpg", picture),
            Kind(".png", picture, mutate.png),
            *(Kind(f".{ending}", picture) for ending in ("gif", "bmp", "tif", "webp", "eps", "ico", "ppm")),
            Kind(".pictures.csv", data, TABLE, beside=files("pictures"), stays_inside=False),
        ),
        ("PIL",),
    ),
    Target(
        "weights",
        (
            Kind(".safetensors", weights, mutate.safetensors),
            Kind(".arch.json", arch, JSON),
            Kind(".preprocessing.json", reads, JSON),
        ),
    ),
    Target(
        "runs",
        (
            *(Kind(f".{name}", read, JSON if "json" in name else TABLE, name) for name, read in PARTS.items()),
            Kind(".checkpoint.safetensors", unfinished, mutate.safetensors),
        ),
    ),
    Target(
        "foreign",
        (
            Kind(".pth", foreign, ZIP),
            Kind(".legacy.pth", foreign),
            Kind(".stranger.safetensors", foreign, mutate.safetensors),
            Kind(".caffemodel", foreign, PROTOBUF),
            Kind(".ckpt", foreign, mutate.table_file),
            Kind(".ckpt.index", foreign, mutate.table_file, beside=files("slim")),
            Kind(".pb", foreign, PROTOBUF),
            Kind(".weights.onnx", foreign, PROTOBUF),
        ),
    ),
    Target(
        "exported",
        (
            Kind(".onnx", exported, PROTOBUF),
            Kind(".xml", exported, mutate.xml, beside=files("openvino")),
        ),
    ),
)
TARGETS = {row.name: row for row in ROWS}


def kind_of(path):
    """The target and the kind of a file of the corpus, or of a finding, by its folder's name and its own.

    The longest ending that fits is meant.
    """
    target = TARGETS[path.resolve().parent.name]
    fits = [kind for kind in target.kinds if path.name.endswith(kind.ending)]
    return target, max(fits, key=lambda kind: len(kind.ending))


def corpus_of(target):
    """The files of a target in the corpus."""
    return sorted(path for path in (CORPUS / target.name).iterdir() if path.is_file())


def as_input(target, path):
    """A file of the corpus as the fuzzer knows it."""
    return bytes([target.kinds.index(kind_of(path)[1])]) + path.read_bytes()


def from_input(target, content):
    """The kind and the file that an input of the fuzzer stands for."""
    return target.kinds[content[0] % len(target.kinds)] if content else target.kinds[0], content[1:]
