"""What is held out: how many, of which classes, whose groups; and that data are known again."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from googlenet import InputError
from googlenet.data.protocol import Dataset
from googlenet.data.signals.dataset import SignalSet
from googlenet.data.splits import (
    alike,
    copies,
    counted,
    fingerprint,
    fingerprint_by_names,
    folds_of,
    hold_out,
    with_held_out,
)
from googlenet.training.recipe import SIGNALS, SMALL


def data_of(labels, groups=(), classes=("cat", "dog", "emu"), names=None, part="train"):
    names = names or tuple(f"somewhere/{row}" for row in range(len(labels)))
    signals = tuple(np.full((1, 8), row, np.float32) for row in range(len(labels)))
    examples = SignalSet(torch.tensor(labels), tuple(names), signals, tuple(groups))
    return Dataset("zoo", classes, **{"train": None, part: examples})


def rows_of(part):
    return [int(signal[0, 0]) for signal in part.signals]


def counts(part, classes=3):
    return np.bincount(part.labels.numpy(), minlength=classes).tolist()


# --------------------------------------------------------------------------------------------------- stratified
@pytest.mark.parametrize(
    ("labels", "share", "held"),
    [
        ([0] * 20 + [1] * 10 + [2] * 10, 0.2, [4, 2, 2]),
        ([0] * 20 + [1] * 10 + [2] * 10, 0.5, [10, 5, 5]),
        ([0, 0, 1, 1, 2, 2], 0.2, [1, 1, 1]),  # a fifth of six would leave a class out
        ([0, 0, 0, 1, 1, 1], 0.2, [1, 1, 0]),
        ([0] * 8 + [1] * 4 + [2], 0.25, [2, 1, 0]),  # of the emu there is one only: it is learned from
    ],
)
def test_each_class_gives_its_share(labels, share, held):
    split = hold_out(data_of(labels), share, seed=3)
    assert counts(split.validation) == held
    assert sorted(rows_of(split.train) + rows_of(split.validation)) == list(range(len(labels)))
    assert rows_of(split.train) == sorted(rows_of(split.train))
    assert rows_of(split.validation) == sorted(rows_of(split.validation))
    assert (split.name, split.classes, split.test) == ("zoo", ("cat", "dog", "emu"), None)


def test_a_seed_says_which():
    data = data_of([0] * 20 + [1] * 20)
    drawn = [rows_of(hold_out(data, 0.25, seed).validation) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_where_both_parts_can_have_every_class_they_do():
    """Two classes and four examples: three held out would leave one class with none to learn from, two do not."""
    data = data_of([0, 0, 1, 1])
    assert counts(hold_out(data, 0.5, 0).train) == [1, 1, 0]
    with pytest.raises(InputError, match=r"^zoo has too few examples \(4\) to hold 75% of them out"):
        hold_out(data, 0.75, 0)


def test_examples_without_a_partner_do_not_count():
    """Of five examples one is alone: half of the other four are held out, and that leaves two classes whole."""
    split = hold_out(data_of([0, 0, 1, 1, 2]), 0.5, 0)
    assert (counts(split.train), counts(split.validation)) == ([1, 1, 1], [1, 1, 0])


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2], [0]])
def test_classes_of_one_example_are_a_sentence(labels):
    with pytest.raises(
        InputError, match=r"^zoo has too few examples \(\d\) to hold 20% of them out: each class needs two"
    ):
        hold_out(data_of(labels), 0.2, 0)


@pytest.mark.parametrize("contents", [[0] * 8, [0] * 4 + [1] * 4])
def test_where_there_is_little_but_copies_they_are_split_and_it_is_said(contents):
    split = hold_out(with_copies([0] * 4 + [1] * 4, contents), 0.25, 0)
    assert counts(split.validation, 2) == [1, 1] and "copies of ones that are learned from" in split.notes[0]


# ------------------------------------------------------------------------------------------------------- groups
def test_groups_stay_on_one_side():
    labels = [row % 2 for row in range(60)]
    groups = [f"patient {row // 6}" for row in range(60)]
    for share, held in ((0.2, 12), (0.5, 30)):
        split = hold_out(data_of(labels, groups), share, seed=1)
        assert len(split.validation) == held
        assert not set(split.train.groups) & set(split.validation.groups)
        assert counts(split.validation) == [held // 2, held // 2, 0]
        assert sorted(rows_of(split.train) + rows_of(split.validation)) == list(range(60))


def test_a_seed_says_which_groups():
    data = data_of([row % 2 for row in range(60)], [str(row // 3) for row in range(60)])
    drawn = [rows_of(hold_out(data, 0.2, seed).validation) for seed in (1, 1, 1, 2)]
    assert drawn[0] == drawn[1] == drawn[2] != drawn[3]


def test_as_many_groups_as_parts_are_enough():
    labels = [row % 2 for row in range(20)]
    split = hold_out(data_of(labels, [str(row // 4) for row in range(20)]), 0.2, 0)
    assert len(set(split.validation.groups)) == 1
    with pytest.raises(InputError, match=r"^zoo has 4 groups; holding 20% out needs 5 or more"):
        hold_out(data_of(labels, [str(row // 5) for row in range(20)]), 0.2, 0)


def test_a_class_of_one_group_cannot_be_split():
    with pytest.raises(InputError, match=r"^zoo has a class whose signals are all in one group"):
        hold_out(data_of([0] * 4 + [1] * 4, "aaaabbbb"), 0.5, 0)


# ------------------------------------------------------------------------------------------------------- copies
def test_what_counts_as_one_and_how_that_is_said():
    apart = data_of([0, 1, 0, 1]).train
    assert (alike(apart), counted(apart)) == ((), "")
    patients = data_of([0, 1, 0, 1], "aabb").train
    assert (alike(patients), counted(patients)) == (("0", "0", "1", "1"), ", of 2 groups")
    copied = with_copies([0, 1, 0, 1], [5, 6, 5, 7]).train
    assert alike(copied) == ("0", "1", "0", "2") and counted(copied) == ", of which 3 differ"
    shared = with_copies([0, 1, 0, 1], [5, 6, 5, 7], "abcd").train  # of two patients one example is the same
    assert alike(shared) == ("0", "1", "0", "2")


def with_copies(labels, contents, groups=()):
    """Examples of which some hold the same."""
    names = tuple(f"somewhere/{row}" for row in range(len(labels)))
    signals = tuple(np.full((1, 8), content, np.float32) for content in contents)
    return Dataset("zoo", ("cat", "dog"), SignalSet(torch.tensor(labels), names, signals, tuple(groups)))


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 11)), min_size=16, max_size=60), st.integers(0, 9))
@settings(deadline=None, max_examples=60)
def test_copies_stay_on_one_side(rows, seed):
    labels, contents = zip(
        *rows, *[(label, 100 + 10 * label + row) for label in (0, 1) for row in range(4)], strict=True
    )
    split = hold_out(with_copies(labels, contents), 0.25, seed)
    assert not set(split.train.contents) & set(split.validation.contents)
    assert sorted(split.train.names + split.validation.names) == sorted(
        f"somewhere/{row}" for row in range(len(labels))
    )


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), min_size=12, max_size=60), st.integers(0, 9))
@settings(deadline=None, max_examples=200)
def test_no_class_is_left_out_of_what_is_learned_from(rows, seed):
    """Also one all of whose examples are copies of each other, or of another class's."""
    rows += [(label, 100 + 10 * label + row) for label in (0, 1) for row in range(4)]
    labels, contents = zip(*rows, strict=True)
    data = with_copies(labels, contents)
    data = replace(data, classes=("cat", "dog", "emu"))
    split = hold_out(data, 0.25, seed)
    assert set(split.train.labels.tolist()) == set(labels)
    alone = {label for label in set(labels) if len({holds for of, holds in rows if of == label}) == 1}
    assert not alone & set(split.validation.labels.tolist())
    assert [note for note in split.notes if note.startswith("There is a single")] == (
        ["There is a single signal of 'emu': it is learned from, and none is measured."] * bool(alone)
    )


def test_groups_that_share_a_copy_stay_together():
    labels = [row % 2 for row in range(24)]
    contents = list(range(24))
    contents[13] = 0  # of the first patient, and of another
    data = with_copies(labels, contents, [f"patient {row // 2:02}" for row in range(24)])
    for seed in range(12):
        split = hold_out(data, 0.25, seed)
        sides = [{"patient 00", "patient 06"} & set(part.groups) for part in (split.train, split.validation)]
        assert sorted(map(len, sides)) == [0, 2]


def test_what_is_said_of_copies():
    assert copies(with_copies([0, 1, 1], [1, 2, 3])) == ()
    assert copies(with_copies([0, 1, 1], [1, 2, 2])) == ()  # twice, but one part and one label
    (said,) = copies(with_copies([0, 1, 1], [1, 1, 3]))
    assert said.startswith("1 signal is under more than one label")
    test = with_copies([0, 1, 0], [1, 2, 7]).train
    (said,) = copies(replace(with_copies([0, 1, 1], [1, 2, 3]), test=test))
    assert said.startswith("2 signals are in more than one part")
    assert len(copies(replace(with_copies([1, 1, 1], [1, 2, 3]), test=test))) == 2


# -------------------------------------------------------------------------------------------------- fingerprint
def test_data_were_known_by_names_and_labels():
    wanted = hashlib.sha256(b"a.csv\tdog\nb.csv\tcat\nc.csv\tcat").hexdigest()[:16]
    data = data_of([0, 1, 0], names=("here/c.csv", "here/a.csv", "here/b.csv"))
    assert fingerprint_by_names(data) == wanted
    assert fingerprint_by_names(data_of([1, 0, 0], names=("there/a.csv", "b.csv", "x/y/c.csv"))) == wanted
    assert fingerprint_by_names(data_of([0, 1, 0], names=("c.csv", "a.csv", "b.csv"), part="test")) == wanted
    assert fingerprint_by_names(hold_out(data_of([0] * 10), 0.5, 0)) == fingerprint_by_names(data_of([0] * 10))


def test_other_data_are_others():
    known = {
        fingerprint_by_names(data_of([0, 1], names=names, classes=classes))
        for names in (("a", "b"), ("a", "c"), ("b", "a"), ("a", "b\udcff"))
        for classes in (("cat", "dog"), ("cat", "elk"))
    }
    assert len(known) == 8


def test_a_name_that_is_no_text_is_its_bytes():
    wanted = hashlib.sha256(b"\xff.csv\tcat").hexdigest()[:16]
    assert fingerprint_by_names(data_of([0], names=("here/\udcff.csv",))) == wanted


def test_data_are_known_by_part_name_label_and_content():
    content = hashlib.blake2b(np.zeros((1, 8), np.float32).tobytes(), digest_size=8).hexdigest()
    wanted = hashlib.sha256(f"train\ta.csv\tdog\t{content}".encode()).hexdigest()[:16]
    assert fingerprint(data_of([1], names=("here/a.csv",))) == wanted
    assert fingerprint(data_of([1], names=("x/y/a.csv",))) == wanted
    others = [
        data_of([0], names=("a.csv",)),
        data_of([1], names=("b.csv",)),
        data_of([1], names=("a.csv",), part="test"),
        with_copies([1], [7]),
        data_of([1, 0]),
        data_of([0, 1]),
    ]
    assert len({fingerprint(data) for data in others} | {wanted}) == 7


# --------------------------------------------------------------------------------------------------- to calibrate
def with_test(count, groups=()):
    data = data_of([row % 3 for row in range(count)], groups)
    return replace(data, test=data.train.subset(range(3)))


@pytest.mark.parametrize(
    ("count", "held"), [(3, 0), (499, 0), (500, 50), (1300, 130), (1347, 130), (4500, 150), (9000, 300), (90_000, 2000)]
)
def test_some_are_held_out_to_calibrate_where_there_is_a_test_part(count, held):
    data = with_test(count)
    split = with_held_out(data, SMALL)
    assert len(split.validation or ()) == held and len(split.train) == count - held
    assert split.test is data.test


@pytest.mark.parametrize("copies", [1, 60])
@pytest.mark.parametrize(("classes", "held"), [(10, 60), (60, 60), (61, 0), (300, 0)])
def test_no_class_gives_half_of_its_examples_to_be_calibrated(classes, held, copies):
    """Of 600 pictures 60 are held out; of 61 classes each would give one, and of 300 that is every other."""
    data = data_of([row % classes for row in range(600)], classes=tuple(map(str, range(classes))))
    if copies > 1:  # of ten that differ too few are left for any class to give one
        signals = tuple(data.train.signals[row % 10] for row in range(600))
        data = replace(data, train=replace(data.train, signals=signals))
        held = 0
    data = replace(data, test=data.train.subset(range(3)))
    split = with_held_out(data, SMALL)
    assert len(split.validation or ()) == held and len(split.train) == 600 - held


def test_no_more_are_held_out_where_some_are_or_none_are_wanted():
    data = with_test(1200)
    assert with_held_out(data, replace(SMALL, calibrate=False)) is data
    assert with_held_out(data, SIGNALS) is data  # members leave some out in turn
    assert with_held_out(with_test(1200, [str(row) for row in range(1200)]), SMALL).validation is None
    whole = replace(data, validation=data.test)
    assert with_held_out(whole, SMALL) is whole
    assert len(with_held_out(replace(data, test=None), SMALL).validation) == 240


@given(
    st.lists(st.integers(0, 2), min_size=2, max_size=40),
    st.integers(2, 5),
    st.integers(0, 3),
    st.data(),
)
@settings(deadline=None, max_examples=60)
def test_folds_part_classes_evenly_and_keep_copies_and_groups_together(labels, count, seed, chance):
    """Whatever the data: copies and groups have one fold, every class is spread as evenly as its units allow, and no
    member has never seen a class."""
    grouped = chance.draw(st.booleans())
    units = chance.draw(st.lists(st.integers(0, 7), min_size=len(labels), max_size=len(labels)))
    labels = [unit % 3 for unit in units] if grouped else labels  # a group is of one class here
    part = data_of(labels, [str(unit) for unit in units] if grouped else ()).train
    folds = folds_of(part, count, seed)
    assert folds.shape == (len(labels),) and ((folds >= -1) & (folds < count)).all()
    of = units if grouped else range(len(labels))
    for label in set(labels):
        own = {unit: fold for unit, fold, its in zip(of, folds.tolist(), labels, strict=True) if its == label}
        sizes = np.bincount([fold for fold in own.values() if fold >= 0], minlength=count)
        assert (set(own.values()) == {-1}) if len(own) == 1 else np.ptp(sizes) <= 1 and sizes.sum() == len(own)
    for unit in set(of):
        assert len({fold for each, fold in zip(of, folds.tolist(), strict=True) if each == unit}) == 1
    assert (folds == folds_of(part, count, seed)).all()


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=2, max_size=40), st.integers(2, 5))
@settings(deadline=None, max_examples=60)
def test_groups_of_several_classes_are_left_out_where_others_have_these_too(rows, count):
    labels, groups = zip(*rows, strict=True)
    folds = folds_of(data_of(list(labels), [str(group) for group in groups]).train, count, 0)
    assert len(set(zip(folds.tolist(), groups, strict=True))) == len(set(groups))
    for label in set(labels):
        own = {fold for fold, its in zip(folds.tolist(), labels, strict=True) if its == label}
        assert len(own) > 1 or own == {-1}  # no member has never seen a class


def test_two_groups_with_both_classes_are_left_out_in_turn_whatever_comes_first_in_them():
    for first in ([0, 1], [1, 0]):
        labels = [0, 1, 1, 0, *first, 0, 1]
        folds = folds_of(data_of(labels, ["a"] * 4 + ["b"] * 4).train, 4, 0)
        assert folds.min() >= 0 and len(set(folds[:4])) == len(set(folds[4:])) == 1 and folds[0] != folds[4], first
