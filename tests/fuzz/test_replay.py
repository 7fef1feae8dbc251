"""The corpus of the fuzzer, read again: what once broke a reader, and what it is to read, within its bounds.

To search for more: ``make test-fuzz``.
"""

import random

import pytest

from fuzz.judge import Judge
from fuzz.targets import BESIDE, CORPUS, TARGETS, corpus_of, kind_of

MOST = 500_000  # bytes of the corpus and what lies beside


@pytest.fixture(scope="module", params=TARGETS.values(), ids=lambda target: target.name)
def judge(request, tmp_path_factory):
    return Judge(request.param, tmp_path_factory.mktemp("replay"))


@pytest.mark.timeout(120)
def test_every_file_of_the_corpus_is_read_or_is_a_sentence(judge):
    found = {path.name: judge(kind_of(path)[1], path.read_bytes()) for path in corpus_of(judge.target)}
    assert {name: (finding.key, finding.said) for name, finding in found.items() if finding is not None} == {}


def test_the_corpus_is_small_and_has_each_kind():
    files = [path for at in (CORPUS, BESIDE) for path in at.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST
    kinds = {kind_of(path)[1] for target in TARGETS.values() for path in corpus_of(target)}
    assert kinds == {kind for target in TARGETS.values() for kind in target.kinds}


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_changes_leave_the_form_of_a_file_whole():
    """Where they could not, bytes alone would be changed, and few inputs would get far."""
    failed = []
    for path in (path for target in TARGETS.values() for path in corpus_of(target) if kind_of(path)[1].mutate):
        for seed in range(5):
            try:
                kind_of(path)[1].mutate(path.read_bytes(), random.Random(seed), lambda part: bytes(part[:-1]) + b"x")
            except Exception:
                failed.append(path.name)
    assert [name for name in set(failed) if failed.count(name) == 5] == []
