"""Tables of paths, whose files are labelled in parts: read as tables to learn from are."""

import pytest
from PIL import Image

from googlenet.apps.batch.entries import entries_of
from googlenet.data.images.sources.tables.table import read_table
from googlenet.errors import InputError

ENDINGS = (".png", ".jpg")


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_tables_of_paths_lead_from_their_folder(tmp_path, ending):
    path = tmp_path / f"list.{ending}"
    rows = {"id": ["1", "2"], "path": ["one.png", "/elsewhere/two.png"]}
    if ending == "parquet":
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow.parquet import write_table

        write_table(pyarrow.table(rows), path)
    else:
        gap = {"csv": ",", "tsv": "\t"}[ending]
        path.write_text("\n".join(gap.join(row) for row in (rows, *zip(*rows.values(), strict=True))))
    assert list(entries_of([str(path)], (), ENDINGS)) == [str(tmp_path / "one.png"), "/elsewhere/two.png"]
    assert list(entries_of([str(path)], (), (".csv", ".tsv", ".parquet"))) == [str(path)]  # a table of signals


@pytest.mark.parametrize(
    "written",
    [
        b"path,label\n{}one.png,a\n{}two.png,b\n",
        b'label;path;note\na;{}one.png;"1;2"\nb;{}two.png;\n',
        b"label|path\ra|{}one.png\rb|{}two.png\r",
        b"label, path\na, {}one.png\nb, {}two.png\n",
        b"sep=;\r\nlabel;path\r\na;{}one.png\r\nb;{}two.png\r\n",
        b"\n,\npath,label\n{}one.png,a\n\n{}two.png,b\n",
    ],
    ids=["commas", "semicolons", "bars", "blanks", "named", "empty rows"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("leads", ["", "below/", "below\\", "{around}/below/"])
def test_a_table_of_paths_is_read_as_one_to_learn_from(tmp_path, written, encoding, leads):
    (tmp_path / "below").mkdir()
    for name in ("one.png", "two.png"):
        Image.new("L", (8, 8)).save(tmp_path / "below" / name)
    text = written.decode().replace("{}", leads.format(around=tmp_path))
    path = tmp_path / ("list.csv" if leads else "below/list.csv")
    path.write_bytes(text.encode(encoding))
    learned = read_table(path).parts["train"]
    assert len(learned) == 2
    assert list(entries_of([str(path)], (), ENDINGS)) == [file for file, _ in learned]


def test_paths_of_a_table_may_lead_from_the_current_folder_or_the_one_around_it_and_that_is_said(tmp_path, monkeypatch):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
    Image.new("L", (8, 8)).save(tmp_path / "here" / "one.png")
    table = tmp_path / "there" / "list.csv"
    table.write_text("path\none.png\n")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.warns(RuntimeWarning, match="list.csv: Its paths lead to files from the current folder"):
        assert list(entries_of([str(table)], (), ENDINGS)) == ["one.png"]
    table.write_text("path\nhere/one.png\n")
    with pytest.warns(RuntimeWarning, match="from the folder around the table's"):
        assert list(entries_of([str(table)], (), ENDINGS)) == [str(tmp_path / "there" / ".." / "here" / "one.png")]
    table.write_text("path\nnone.png\n")
    assert list(entries_of([str(table)], (), ENDINGS)) == [str(tmp_path / "there" / "none.png")]


def test_a_list_without_a_header_is_one_of_paths(tmp_path):
    (tmp_path / "list.csv").write_text("one.png\ntwo.png\n")
    found = list(entries_of([str(tmp_path / "list.csv")], (), ENDINGS))
    assert found == [str(tmp_path / "one.png"), str(tmp_path / "two.png")]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.tar", b"nothing" * 200, "no whole tar"),
        ("x.tar.gz", b"", "is packed"),
        ("x.csv", b"a,b\n1,2\n", "are not found among a, b"),
        ("x.csv", b"path,file\n1,2\n", "may be path, file"),
        ("x.csv", b"path\n\xff\xfe\n", "no table in UTF-8"),
        ("x.csv", b'path,label\na.png,"cat\nb.png,dog\n', "line 3 is not a row of a table"),
        ("x.csv", b'path,label\na.png,"cat\nb.png,"dog"\n', "line 3 is not a row of a table"),
        ("x.csv", b"path,label\na, b.png,cat\n", "line 2 has 3 cells, the first 2"),
        ("x.csv", b"label,path\ncat,a.png\ndog,\n", "line 3: there is no path in it"),
        ("x.csv", b"\n\n", "has no row"),
        ("x.parquet", b"nothing", "no whole Parquet"),
    ],
)
def test_what_is_no_list_gets_a_sentence(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=said):
        list(entries_of([str(tmp_path / name)], (), ENDINGS))


def test_a_table_that_is_not_there_is_said_to_be_none(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv could not be read: No such file"):
        list(entries_of([str(tmp_path / "none.csv")], (), ENDINGS))


def test_one_column_of_a_tsv_may_hold_commas(tmp_path):
    for name in ("a.png", "x, y.png"):
        Image.new("L", (8, 8)).save(tmp_path / name)
    for header in ("path\n", ""):
        (tmp_path / "list.tsv").write_text(header + "x, y.png \na.png\n")
        found = list(entries_of([str(tmp_path / "list.tsv")], (), ENDINGS))
        assert found == [str(tmp_path / "x, y.png"), str(tmp_path / "a.png")]


def test_addresses_of_files_in_a_table_are_those_files(tmp_path):
    Image.new("L", (8, 8)).save(tmp_path / "a b.png")
    (tmp_path / "list.csv").write_text(f"path,label\nfile://{tmp_path}/a%20b.png,x\ns3://bucket/c.png,x\n")
    assert list(entries_of([str(tmp_path / "list.csv")], (), ENDINGS)) == [
        str(tmp_path / "a b.png"),
        "s3://bucket/c.png",
    ]
