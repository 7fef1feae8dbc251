"""What is said of data of any kind as they are found."""

import numpy as np
import pytest
from PIL import Image

from googlenet.data.find import Columns, find_data


def table(folder, labels):
    """Signals, four of each label."""
    rows = [f"{label},{row},{row + 1},{row * row}" for row in range(4) for label in labels]
    (folder / "table.csv").write_text("\n".join(["label,t0,t1,t2", *rows]) + "\n")
    return folder / "table.csv"


def pictures(folder, labels):
    """In a folder for each label."""
    for number, label in enumerate(labels):
        (folder / "pictures" / label).mkdir(parents=True)
        for row in range(4):
            Image.new("L", (9, 9), 50 * number + row).save(folder / "pictures" / label / f"{row}.png")
    return folder / "pictures"


def volumes(folder, labels):
    """Arrays in a file."""
    values = np.random.default_rng(0).integers(0, 255, (4 * len(labels), 1, 9, 9, 9), np.uint8)
    np.savez(folder / "volumes.npz", X=values, y=np.repeat(labels, 4))
    return folder / "volumes.npz"


@pytest.mark.parametrize("kind", [table, pictures, volumes])
@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["1", "1.0", "2"], "'1' and '1.0' differ in the form of a number alone"),
        (["10", "1e1", "11"], "'1e1' differ in the form of a number alone"),
        (["a", "A", "b"], "'A' and 'a' differ in case, blanks or forms of letters alone"),
        (["on foot", "onfoot", "by car"], "'on foot' and 'onfoot' differ in case, blanks or forms of letters alone"),
        (["café", "cafe\u0301", "bar"], "differ in case, blanks or forms of letters alone"),
        (["10000000000000000", "10000000000000000.0", "2"], "differ in the form of a number alone"),
        (["1", "\uff11", "2"], "'1' and '\uff11' differ"),
        (["10", "1 0", "2"], "'1 0' and '10' differ"),
        (["1", "2", "-1"], None),
        (["10000000000000000", "10000000000000001", "1e400", "1e500", "1e99999999999999999999"], None),
    ],
)
def test_classes_that_may_be_meant_for_one_are_said(tmp_path, kind, labels, said):
    data = find_data(str(kind(tmp_path, labels)))
    notes = " ".join(data.notes)
    assert len(data.classes) == len(set(labels))
    assert (said in notes) if said else ("kept apart" not in notes)


def patients(path, names):
    """A table of signals of patients, two classes of each."""
    draws = np.random.default_rng(len(path.name))
    samples = ",".join(f"t{at}" for at in range(9))
    rows = [
        f"{label},{name},{','.join(map(str, draws.normal(size=9).round(3)))}" for name in names for label in ("a", "b")
    ]
    path.write_text("\n".join([f"label,patient,{samples}", *rows]) + "\n")


@pytest.mark.parametrize(
    ("train", "test", "said"),
    [
        (["p1", "p2", "p3"], ["p4"], None),
        (["p1", "p2", "p3"], ["p3", "p4"], "1 group is in more than one part, such as 'p3': what is measured is of"),
        (["p1", "p2", "p3"], ["p3", "p1"], "2 groups are in more than one part, such as 'p1'"),
        (["p1", "P1", "p2"], ["p4"], "The groups 'P1' and 'p1' differ in case, blanks or forms of letters alone; they"),
        (
            ["3", "3.0", "4", "04"],
            ["5"],
            "'04' and '4' differ in the form of a number alone, and so do others; they are",
        ),
        (["p1", "p2"], ["P2"], "The groups 'P2' and 'p2' differ in case"),
    ],
)
def test_groups_that_may_be_one_or_are_on_both_sides_are_said(tmp_path, train, test, said):
    patients(tmp_path / "T_TRAIN.csv", train)
    patients(tmp_path / "T_TEST.csv", test)
    notes = " ".join(find_data(str(tmp_path / "T"), columns=Columns(group="patient")).notes)
    assert said in notes if said else "kept apart" not in notes and "more than one part" not in notes
