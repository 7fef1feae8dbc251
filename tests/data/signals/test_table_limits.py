"""Tables from strangers: work in proportion to the file, memory within its bound, and one sentence for what is none."""

import gzip
import os
import subprocess
import sys
import textwrap

import pytest

from googlenet import InputError, limits
from googlenet.data.images.sources.tables.table import lists_pictures, read_table
from googlenet.data.signals.files import read_file
from googlenet.data.signals.sources.text.dates import moments
from googlenet.data.signals.tables.names import place
from googlenet.data.signals.tables.schema import TableColumns

# Kinds of tables that grow with a number: name of the file to its text
WIDE = {
    "columns": lambda n: "kind," + ",".join(f"s{at}" for at in range(n)) + "\n" + ("a" + ",1" * n + "\n") * 2,
    "columns without names": lambda n: "label,a,b" + "," * n + "\nq,1,2" + "," * n + "\n",
    "columns without numbers": lambda n: (
        "label,"
        + ",".join("n" + "".join(chr(97 + int(c)) for c in str(at)) for at in range(n))
        + "\na"
        + ",1" * n
        + "\n"
    ),
    "columns of text": lambda n: "label," + ",".join(f"s{at}" for at in range(n)) + "\n" + ("a" + ",t" * n + "\n") * 2,
    "columns that turn to text": lambda n: (
        "label,"
        + ",".join("n" + "".join(chr(97 + int(c)) for c in str(at)) for at in range(30))
        + "\n"
        + "".join("a" + ",1" * (row % 30) + ",t" + ",1" * (29 - row % 30) + "\n" for row in range(n // 8))
    ),
    "channels": lambda n: (
        "label,"
        + ",".join(f"c{''.join(chr(97 + int(c)) for c in str(at))}_{t}" for at in range(n) for t in range(3))
        + "\n"
        + ("a" + ",1" * 3 * n + "\n") * 2
    ),
    "short rows": lambda n: (
        "label" + ",s" * 0 + "".join(f",s{at}" for at in range(n)) + "\na" + ",1" * n + "\n" + "x\n" * n
    ),
    "lists": lambda n: "label," + ",".join(f"x{at}" for at in range(n)) + "\n" + ("a" + ',"[1,2,3]"' * n + "\n") * 2,
    "long lists": lambda n: "label,x\n" + ('a,"[' + "1," * n + '1]"\n') * 3,
    "labels": lambda n: "label,v0,v1\n" + "".join(f"l{at},{at % 2},1\n" for at in range(n)),
    "bad rows": lambda n: "label,v0,v1\na,1,2\n" + "a,1,2,3\n" * n,
    "quotes": lambda n: "label,v0,v1\n" + 'a,"1\n",2\n' * n,
    "comments": lambda n: "#c\n" * n + "label,v0,v1\na,1,2\n",
    "empty lines": lambda n: "\n" * n + "label,v0,v1\na,1,2\n",
    "units": lambda n: (
        "label" + "".join(f",s{at}" for at in range(n)) + "\n-" + ",m/s" * n + "\n" + ("a" + ",1" * n + "\n") * 2
    ),
}
LONG = {
    "signals": lambda n: "id,time,x,label\n" + "".join(f"s{at // 2},{at % 2},1,a\n" for at in range(n)),
    "dates": lambda n: "id,time,x,label\n" + "".join(f"s{at // 9},2026-01-01 00:{at % 9:02},1,a\n" for at in range(n)),
    "bad times": lambda n: (
        "id,time,x,label\n" + "".join(f"s{at // 9},{at % 9},{at},a\n" for at in range(n)) + "s,q,1,a\n" * 3
    ),
}
BARE = {
    "rows": lambda n: "".join(f"{at % 2 + 1}\t0.5\t{at}.25\n" for at in range(n)),
    "ragged rows": lambda n: "1\t" + "1\t" * n + "1\n" + "2\t3\n" * n,
    "cells behind the last": lambda n: ("1\t0.5\t2" + "\t" * n + "\n") * 9,
}
TS = {
    "classes": lambda n: (
        "@classLabel true "
        + " ".join(f"c{at}" for at in range(n))
        + "\n@data\n"
        + "".join(f"1,2:c{at}\n" for at in range(n))
    ),
    "classes of words": lambda n: (
        "@classLabel true"
        + " a" * n
        + "\n@data\n"
        + "".join("1,2:" + " ".join("a" * (at % 9 + 1)) + "\n" for at in range(n))
    ),
    "dimensions": lambda n: "@classLabel true a b\n@data\n" + ("1:" * n + "a\n") * 2,
    "times": lambda n: "@timeStamps true\n@classLabel true a\n@data\n" + "(1,2)," * n + "(2,3):a\n",
}
ARFF = {
    "classes": lambda n: (
        "@attribute a numeric\n@attribute c {"
        + ",".join(f"c{at}" for at in range(n))
        + "}\n@data\n"
        + "".join(f"1,c{at}\n" for at in range(n))
    ),
    "attributes": lambda n: (
        "".join(f"@attribute a{at} numeric\n" for at in range(n)) + "@attribute c {a}\n@data\n" + ("1," * n + "a\n") * 2
    ),
    "attributes of text": lambda n: (
        "".join(f"@attribute a{at} string\n" for at in range(n)) + "@attribute c {a}\n@data\n" + ("1," * n + "a\n") * 2
    ),
}
SIGNALS = [
    *((f"{kind}.csv", make) for kind, make in (WIDE | LONG).items()),
    *((f"{kind}.tsv", make) for kind, make in BARE.items()),
    *((f"{kind}.ts", make) for kind, make in TS.items()),
    *((f"{kind}.arff", make) for kind, make in ARFF.items()),
]
PICTURES = {
    "columns": lambda n: "path,label" + "".join(f",z{at}" for at in range(n)) + "\nx.png,a" + ",train" * n + "\n",
    "columns of parts": lambda n: "path,label" + ",split" * n + "\nx.png,a" + ",train" * n + "\n",
    "columns of paths": lambda n: (
        ",".join(["path"] * n) + ",label\n" + ",".join(f"{at}.png" for at in range(n)) + ",a\n"
    ),
    "short rows": lambda n: "path,label" + "".join(f",z{at}" for at in range(n)) + "\n" + "x.png,a\n" * n,
    "rows": lambda n: "path,label\n" + "".join(f"x{at}.png,a\n" for at in range(n)),
}


def work(read) -> int:
    """Lines of Python that it takes to read, or to refuse; turns of loops within a line count too."""
    lines = 0

    def trace(frame, event, arg):
        nonlocal lines
        lines += event == "line"
        return trace

    sys.settrace(trace)
    try:
        read()
    except InputError:
        pass
    finally:
        sys.settrace(None)
    return lines


def growth(tmp_path, name, make, read) -> float:
    """How many times more work the second doubling of a table adds than the first: 2 if it is in proportion, else 4."""
    found = []
    for size in (150, 300, 600, 1200):  # the first imports what is imported once
        path = tmp_path / f"{size}" / name
        path.parent.mkdir()
        path.write_text(make(size))
        found.append(work(lambda path=path: read(path)))
    del found[0]
    return (found[2] - found[1]) / max(found[1] - found[0], found[0] / 4)


@pytest.mark.parametrize(("name", "make"), SIGNALS, ids=[name for name, _ in SIGNALS])
def test_work_is_in_proportion_to_the_table(tmp_path, name, make):
    assert growth(tmp_path, name, make, read_file) < 3


@pytest.mark.parametrize("kind", ["columns", "channels", "lists", "labels"])
def test_work_is_in_proportion_for_what_a_network_is_to_read(tmp_path, kind):
    def read(path):
        schema = read_file(path).schema
        read_file(path, labelled=False, learned=schema)

    assert growth(tmp_path, "a.csv", WIDE[kind], read) < 3


@pytest.mark.parametrize("kind", PICTURES)
def test_work_is_in_proportion_to_a_table_of_pictures(tmp_path, monkeypatch, kind):
    monkeypatch.setattr(limits, "PADDED", 1000)

    def read(path):
        lists_pictures(path)
        read_table(path)

    assert growth(tmp_path, "a.csv", PICTURES[kind], read) < 3


def test_channels_named_in_cells_take_no_more_room_than_the_file_allows(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "UNPACKED_SLACK", 0)
    path = tmp_path / "a.csv"
    path.write_text("id,time,sensor,value,label\n" + "".join(f"s,{at},k{at},1,a\n" for at in range(500)))
    with pytest.raises(InputError, match="500 channels differ too much in length"):
        read_file(path, TableColumns(channel="sensor", time="time", id="id"))


# Names, cells and sentences


@pytest.mark.parametrize("name", ["x_" + "1" * 5000, "1" * 5000, "9" * 200, "1e999", "2026-01-01" + " " * 5000 + "\n-"])
def test_a_name_beyond_all_measure_has_no_number(name):
    assert place(name) is None


@pytest.mark.parametrize(
    ("name", "key", "number"),
    [
        ("v12", ("v", ""), 12),
        ("ch1.0", ("ch1", ""), 0),
        ("ch_1.5", ("ch", ""), 1.5),
        ("a1b2c", ("a1b", "c"), 2),
        ("1.2.3", ("1.2", ""), 3),
        ("x 0.25 s", ("x", "s"), 0.25),
    ],
)
def test_the_number_of_a_name_is_its_last(name, key, number):
    assert place(name)[:2] == (key, number)


def test_times_of_many_digits_are_no_whole_numbers(tmp_path):
    found, wrong = moments(tmp_path, [1, 2], ["1" * 5000, "1" * 400], "t")
    assert len(found) == 2 and not wrong


LONG_TEXT = "x" * 100_000
SENTENCES = {
    "label.csv": f"label,v0,v1,v1\n{LONG_TEXT},1,2,3\n",
    "name.csv": f"label,{LONG_TEXT},w\na,1,2\nb,1,2\n",
    "names.csv": f"label,{LONG_TEXT},{LONG_TEXT}\na,1,2\nb,1,2\n",
    "cell.csv": f"label,v0,v1\na,{LONG_TEXT},2\n",
    "first.csv": f"1,2,{LONG_TEXT},4\n1,2,3,4\n",
    "digits.csv": f"label,x_{'1' * 5000},x_2\na,1,2\nb,1,2\n",
    "list.csv": "label|x\n" + "a|[1,234 5 6]\n" * 3,
    "dimensions.ts": f"@dimensions {'9' * 5000}\n@classLabel true a b\n@data\n1:a\n2:b\n",
    "class.ts": f"@classLabel true a b\n@data\n1,2:{LONG_TEXT}\n",
    "colons.ts": "@timeStamps true\n@classLabel true a b\n@data\n" + ":" * 20_000 + "\n",
    "padding.ts": "@classLabel true a b\n@data\n" + "1," * 20_000 + "1" + ":1" * 20_000 + ":a\n",
    "quote.arff": "@attribute a numeric\n@attribute c {a,b}\n@data\n1,'" + "x" * 200_000 + "'\n",
    "attribute.arff": f"@attribute {LONG_TEXT} string\n@attribute c {{a,b}}\n@data\n1,a\n",
    "words.txt": '1 2 3 4\n2 "' + "5" * 200_000 + '" 3 4\n',
}


@pytest.mark.parametrize("name", SENTENCES)
def test_what_is_no_table_is_one_short_sentence(tmp_path, name):
    path = tmp_path / name
    path.write_text(SENTENCES[name])
    with pytest.raises(InputError) as caught:
        read_file(path)
    assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < len(str(path)) + 1000


@pytest.mark.parametrize(
    "text", ["path," + "l" * 200_000 + "\nx.png,a\n", f"path,label\n{LONG_TEXT},\n", 'sep="\na"b\n']
)
def test_what_is_no_table_of_pictures_is_one_short_sentence(tmp_path, text):
    path = tmp_path / "a.csv"
    path.write_text(text)
    lists_pictures(path)
    with pytest.raises(InputError) as caught:
        read_table(path)
    assert len(str(caught.value)) < len(str(path)) + 1000


@pytest.mark.parametrize("read", [read_file, read_table])
@pytest.mark.parametrize("kind", ["pipe.csv", "/dev/zero", "/dev/null"])
def test_what_may_be_without_end_is_not_waited_for(tmp_path, read, kind):
    path = tmp_path / kind
    if kind == "pipe.csv":
        os.mkfifo(path)
    with pytest.raises(InputError, match="is no plain file"):
        read(path)


def test_so_many_bad_rows_are_no_table(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "BAD_ROWS", 10)
    path = tmp_path / "a.csv"
    path.write_text("label,v0,v1\na,1,2\n" + "a,b,c\n" * 20)
    with pytest.raises(InputError, match="more than 10 rows that cannot be read"):
        read_file(path)


# Memory: of a process that reads one file, in MB beyond what it has before
MB = 1 << 20
MEMORY = {
    "digits.csv": lambda: (
        "label," + ",".join(f"v{at}" for at in range(1000)) + "\n" + ("a" + ",1" * 1000 + "\n") * 8000
    ),
    "pairs_TRAIN.csv": lambda: ("1" + ",12" * 1000 + "\n") * 6000,
    "long.csv": lambda: (
        "id,time,x,label\n" + "".join(f"s{at // 100},{at % 100},{at % 977},a\n" for at in range(1_000_000))
    ),
    "lists.csv": lambda: "label,x\n" + ('a,"[' + "1," * 999 + '1]"\n') * 8000,
    "zeros.csv.gz": lambda: gzip.compress(b"label,v0,v1\n" + b"a,0,0\n" * (120 * MB // 6)),
    "line_TRAIN.csv": lambda: "1" + ",12.5" * 6_000_000 + "\n",
    "line.ts": lambda: "@classLabel true a\n@data\n" + "12," * 5_000_000 + "1:a\n",
    "rows.arff": lambda: (
        "".join(f"@attribute a{at} numeric\n" for at in range(999))
        + "@attribute c {a}\n@data\n"
        + ("1," * 999 + "a\n") * 8000
    ),
    "quoted.csv": lambda: "label,v0,v1\n" + '"a","1","2"\n' * 1_000_000,
}
READ = textwrap.dedent("""
    import resource, sys
    from googlenet import InputError
    from googlenet.data.signals.files import read_file
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        read_file(sys.argv[1])
    except InputError as error:
        print(error, file=sys.stderr)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
""")


@pytest.mark.slow
@pytest.mark.parametrize("name", MEMORY)
def test_memory_is_within_its_bound(tmp_path, name):
    content = MEMORY[name]()
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    del content
    run = subprocess.run(
        [sys.executable, "-c", READ, str(path)], check=True, capture_output=True, text=True, timeout=300
    )
    most = 30 * path.stat().st_size // MB + 500
    assert int(run.stdout) <= (1000 if name.startswith("line_") else most)


def test_what_a_parquet_file_says_of_its_columns_is_what_pyarrow_reads(tmp_path):
    pa, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    from googlenet.data.signals.sources.weight import _said_of_columns

    for turn, packed in enumerate(("snappy", "none", "zstd", "gzip")):
        rows = range(700 * turn + 1)
        columns = {"a": list(rows), "b": [list(range(at % 5)) for at in rows], "c": [{"x": at} for at in rows]}
        columns |= {"d": ["s" * (at % 9) for at in rows], "e": [None if at % 3 else 1.5 for at in rows]}
        path = tmp_path / f"{packed}.parquet"
        parquet.write_table(
            pa.table(columns),
            path,
            row_group_size=500,
            compression=packed,
            write_statistics=turn % 2 == 0,
            write_page_index=turn % 3 == 0,
        )
        about = parquet.ParquetFile(path).metadata
        each = [about.row_group(at).column(n) for at in range(about.num_row_groups) for n in range(about.num_columns)]
        wanted = sum(column.num_values for column in each), sum(column.total_uncompressed_size for column in each)
        assert _said_of_columns(path) == wanted


@pytest.mark.parametrize("kind", [1, 3, 7, 8, 12])
def test_a_list_that_claims_more_items_than_bytes_ends_at_once(kind):
    from googlenet.data.signals.sources.weight import _Thrift

    footer = _Thrift(bytes([0x19, 0xF0 | kind]) + b"\xff" * 8 + b"\x7f" + bytes(16))  # 2^63 items of a kind
    with pytest.raises(ValueError, match="cut off"):
        list(footer.structs_in(footer.fields(), 4))
