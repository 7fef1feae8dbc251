"""Labelled recordings, found in a folder or a file, with what is said of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ....errors import InputError, count
from ...images.names import extensions as pictures
from ...protocol import BadFile, Dataset, Watch
from ...walk import walk, walked
from ..rows import Signal, listing
from ..tables.schema import TableColumns
from .annotations import Annotations, read_annotations
from .dataset import Kept, WindowSet, kept_on_disk
from .labels import Labelled, around_moments, by_majority
from .readers.formats import ARRAYS, EXTENSIONS, TABLES, open_recordings
from .recording import Mark, Recording
from .resample import length_at
from .units import in_units
from .windows import Cut, Windows, windows_for

FEW = 5  # recordings of which no part can be held out as a whole
STRETCHES, WINDOWS_A_STRETCH = 20, 4  # of each of few: at most, and at least


def claims(source: str) -> bool:
    """Whether that is, by its look, a recording, or a folder of them in which there is no picture."""
    path = Path(source)
    if path.is_file():
        return path.suffix.lower() in EXTENSIONS
    if not path.is_dir():
        return False
    kinds = {os.path.splitext(name)[1].lower() for _, names in walked(path) for name in names}  # noqa: PTH122
    return not kinds.isdisjoint(EXTENSIONS) and kinds.isdisjoint(pictures())


def find_recordings(source: str, watch: Watch, columns: Any) -> Dataset:
    """Opens recordings, cuts them into windows and labels those.

    Args:
        source: A file, or a folder of them at any depth.
        watch: Wraps the list of recordings while they are read.
        columns: See :class:`~googlenet.data.find.Columns`.

    Raises:
        InputError: If there is no recording, no label, or one cannot be told.
    """
    cut: Cut = columns.cut
    _check_options(columns)
    recordings, bad = _opened(source, cut, columns)
    said = _said_of(source, recordings, cut, columns)
    windows, notes = windows_for(recordings, columns, said)
    recordings = [in_units(each, windows) for each in recordings]
    notes = [*notes, *said.notes, *(remark for each in recordings for remark in each.remarks)]
    parts = [_part(each, windows, said.marks.get(each.path, [])) for each in recordings]
    notes += _left_out(recordings, parts, windows)
    names = sorted({label for part in parts for label in part.labels})
    if not names:
        raise InputError(f"{source}: no window of {_seconds(windows)} has a label. {' '.join(notes)}".rstrip())
    groups = _groups(recordings, parts, windows, said.groups, columns)
    chosen, found = _collected(recordings, parts, windows, groups, watch)
    lost = sum(len(part.labels) for part in parts) - len(found.labels)
    if lost:
        notes.append(f"{count(lost, 'window')} left out that hold no sample, or lie between two stretches.")
    if not found.labels:
        raise InputError(f"{source}: there is nothing to learn from. {' '.join(notes)}")
    labels = torch.tensor([names.index(label) for label in found.labels])
    if windows.window and _few_to_split(recordings, cut, said):
        notes.append(
            f"{count(len(recordings), 'recording')} cannot be held out whole: stretches of time are, beside others "
            "that are learned from, so expect less of a recording that is new."
        )
    notes.append(_counted(found.labels, windows))
    data = WindowSet(
        labels,
        tuple(found.names),
        tuple(found.signals),
        tuple(chosen),
        kept=tuple(found.kept),
        windows=windows,
    )
    return Dataset(source, tuple(names), data, None, None, tuple(notes), tuple(bad))


def _check_options(columns: Any) -> None:
    """Raises InputError for what is said of a table of whole signals, which recordings are not."""
    given = {"--channel": columns.channel is not None, "--no-header": not columns.header}
    given |= {f"--label-{place}": columns.label == place for place in ("first", "last")}
    if wrong := [option for option, is_given in given.items() if is_given]:
        raise InputError(f"{wrong[0]} is for tables of whole signals, and these are recordings. Leave it out.")


def _few_to_split(recordings: Sequence[Recording], cut: Cut, said: Annotations) -> bool:
    """Whether a part is to be held out, and there are too few recordings or groups of them for whole ones."""
    return cut.like is None and not said.groups and len({each.path for each in recordings}) < FEW


def _opened(source: str, cut: Cut, columns: Any) -> tuple[list[Recording], list[BadFile]]:
    """The recordings of a source, and the files that are none."""
    said = TableColumns(**{each.name: getattr(columns, each.name) for each in fields(TableColumns)})
    if cut.annotations is not None:
        said = replace(said, target=None, group=None)  # which are columns of those
    if cut.like is not None:
        known = cut.like.said
        said = replace(said, time=said.time or known.time, id=said.id or known.id, missing=said.missing + known.missing)
    found, bad = [], []
    for each in _files(Path(source), cut):
        try:
            found += open_recordings(each, cut.like.rate if cut.like is not None else cut.rate, said)
        except InputError as error:
            bad.append(BadFile(str(each), str(error)))
    if not found:
        more = f" ({len(bad) - 1} more files cannot be read either.)" if len(bad) > 1 else ""
        raise InputError(bad[0].reason + more)
    return found, bad


def _files(path: Path, cut: Cut) -> list[Path]:
    """The files to open: tables only where there is nothing else, and never that of the annotations."""
    table = None if cut.annotations is None else Path(cut.annotations)
    found = [path] if path.is_file() else walk(path)
    if table is not None and table.exists():
        found = [each for each in found if not each.samefile(table)]
    if path.is_dir():
        kinds: tuple[Sequence[str], ...] = ((*EXTENSIONS, *ARRAYS), TABLES)
        found = next(filter(None, ([each for each in found if each.suffix.lower() in kind] for kind in kinds)), [])
    if not found:
        raise InputError(f"{path} holds no recording ({', '.join((*EXTENSIONS, *ARRAYS, *TABLES))}).")
    return found


def _said_of(source: str, recordings: Sequence[Recording], cut: Cut, columns: Any) -> Annotations:
    """What there is to learn: the table of annotations, what the recordings bring, or the folders that they lie in."""
    if cut.annotations is not None:
        return read_annotations(Path(cut.annotations), recordings, columns.target, columns.group)
    tables = all(each.path.suffix.lower().startswith(TABLES) for each in recordings)
    for option in ("group", "target"):
        if getattr(columns, option) is not None and not tables:
            raise InputError(f"--{option} names a column of a table of annotations; name that with --annotations.")
    own = {each.path: list(each.marks) for each in recordings if each.marks}
    folders = _folders(source, recordings)
    if own:
        unused = f", and not their folders ({listing(sorted(set(folders.values())))})" if folders else ""
        groups = {each.path: each.group for each in recordings if each.group}
        return Annotations(own, groups, [f"Labels are what the recordings themselves say{unused}."])
    if folders:
        marks = {each.path: [Mark(0.0, each.seconds, folders[each.path])] for each in recordings}
        return Annotations(marks, notes=[f"Labels are the folders: {listing(sorted(set(folders.values())))}."])
    raise InputError(
        f"{source} has no labels: no recording brings annotations. Name a table of file,start,end,label with "
        "--annotations, or lay the recordings into a folder for each class."
    )


def _folders(source: str, recordings: Sequence[Recording]) -> dict[Path, str]:
    """The folder of each recording, where they lie in several; else nothing."""
    folders = {each.path: each.path.parent.name for each in recordings}
    inside = Path(source).is_dir() and all(path.parent != Path(source) for path in folders)
    return folders if inside and len(set(folders.values())) > 1 else {}


def _part(recording: Recording, windows: Windows, marks: Sequence[Mark]) -> Labelled:
    """The windows of a recording that have a label."""
    length = length_at(recording, windows.rate)
    if not windows.window:
        return Labelled(np.zeros(len(marks), np.int64), [mark.label for mark in marks])
    if windows.centred:
        return around_moments(marks, windows, length)
    return by_majority([mark for mark in marks if mark.end > mark.start], windows, length)


def _left_out(recordings: Sequence[Recording], parts: Sequence[Labelled], windows: Windows) -> list[str]:
    """What is to be said of windows and recordings that are not learned from."""
    notes = []
    counts = {
        "{} without a label left out": sum(part.unlabelled for part in parts),
        "{} that two labels cover alike left out": sum(part.torn for part in parts),
        "{} would reach beyond an end of the recording and is left out": sum(part.outside for part in parts),
    }
    notes += [f"{words.format(count(number, 'window'))}." for words, number in counts.items() if number]
    silent = [each.path.name for each, part in zip(recordings, parts, strict=True) if not part.labels]
    if silent and len(silent) < len(recordings):
        notes.append(f"{count(len(silent), 'recording')} without a label: {listing(silent)}.")
    return notes


def _groups(
    recordings: Sequence[Recording],
    parts: Sequence[Labelled],
    windows: Windows,
    given: dict[Path, str],
    columns: Any,
) -> list[list[str | None]]:
    """For each window of each recording what it stays together with; ``None`` for one between two stretches."""
    if columns.group is not None:
        return [
            [given.get(each.path, str(each.path))] * len(part.labels)
            for each, part in zip(recordings, parts, strict=True)
        ]
    whole = columns.cut.like is not None or len(recordings) >= FEW  # nothing is held out, or whole ones can be
    if whole or not windows.window:
        return [[str(each.path)] * len(part.labels) for each, part in zip(recordings, parts, strict=True)]
    found: list[list[str | None]] = []
    for each, part in zip(recordings, parts, strict=True):
        length = length_at(each, windows.rate)
        stretch = max(-(-length // STRETCHES), WINDOWS_A_STRETCH * windows.window)
        places = zip(part.starts // stretch, (part.starts + windows.window - 1) // stretch, strict=True)
        found.append([f"{each.path} {first}" if first == last else None for first, last in places])
    return found


@dataclass
class _Found:
    labels: list[str]
    names: list[str]
    signals: list[Signal]
    kept: list[Kept]


def _collected(
    recordings: Sequence[Recording],
    parts: Sequence[Labelled],
    windows: Windows,
    groups: Sequence[Sequence[str | None]],
    watch: Watch,
) -> tuple[list[str], _Found]:
    """The windows of all recordings and the group of each, without those that hold nothing."""
    found, chosen = _Found([], [], [], []), []
    rows = [row for row in zip(recordings, parts, groups, strict=True) if row[1].labels]
    for recording, part, own in watch(rows, "reading"):
        kept = kept_on_disk(recording, windows)
        for start, label, group in zip(part.starts.tolist(), part.labels, own, strict=True):
            signal = kept.values[:, start : start + windows.window] if windows.window else kept.values
            if group is None or np.isnan(signal).all():
                continue
            name = f"{recording.path}:{start / windows.rate:g}" if windows.window else str(recording.path)
            found.labels.append(label)
            found.names.append(name)
            found.signals.append(signal)
            chosen.append(group)
        kept.release()
        found.kept.append(kept)
    return (chosen if windows.window else []), found


def _counted(labels: Sequence[str], windows: Windows) -> str:
    counts = Counter(labels)
    shown = listing([f"{name} {number:,}" for name, number in counts.most_common()])
    uneven = max(counts.values()) > 2 * min(counts.values())
    said = "; the loss weighs the classes alike (--balance none does not)" if uneven and windows.window else ""
    return f"{count(len(labels), 'window' if windows.window else 'recording')}: {shown}{said}."


def _seconds(windows: Windows) -> str:
    return f"{windows.window / windows.rate:g} s"
