"""The models that a service serves: each by its name, loaded anew beside the one that still answers."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from ...errors import InputError, unknown
from ...inference.engines.backend import exported_for
from ...inference.predictor import Predictor
from ..batch.label import Network
from .batching import Batcher

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Unknown(InputError):
    """There is no model of that name, or no such version of it."""


@dataclass(frozen=True)
class Source:
    """What is served, and by which name.

    Attributes:
        name: In addresses.
        run: A run folder, a weights file, a name of the catalogue, or an exported model.
    """

    name: str
    run: str

    @classmethod
    def of(cls, word: str) -> Source:
        """What somebody typed: ``RUN``, or ``NAME=RUN``.

        Raises:
            InputError: If it is no name, or the run has none that can stand in an address.
        """
        name, given, run = word.partition("=")
        if not given or "/" in name:  # a path may hold a = itself
            name, run = _name_of(word), word
        if not run:
            raise InputError(f"{word!r} names no run; write NAME=RUN, such as demo=runs/demo.")
        if not _NAME.fullmatch(name):
            raise InputError(
                f"{name!r} cannot stand in an address: a name has letters, digits, '.', '_' and '-' (NAME=RUN, such as "
                f"model={run})."
            )
        return cls(name, run)


def _name_of(run: str) -> str:
    """The name of the run's folder; of a file that lies in none, its own without the end."""
    path = Path(run)
    if not path.exists() or path.is_dir():
        return path.resolve().name if path.exists() else run
    folder = path.resolve().parent
    return folder.name if (folder / "run.json").exists() else path.stem


@dataclass(frozen=True)
class Loaded:
    """A model in one version, ready to answer.

    Attributes:
        version: At which start or reload of the service it was loaded: ``"1"``, then ``"2"``.
        predictor: It.
        digest: Of the file that it was loaded from.
    """

    version: str
    predictor: Predictor
    digest: str


class Served:
    """A model behind its queue.

    Attributes:
        source: What it is, and its name.
        batcher: Its queue.
        loaded: What answers requests that come now. Those that came before are answered by what was there then.

    Args:
        source: The same.
        batcher: The same.
        version: Of what is loaded now.
    """

    def __init__(self, source: Source, batcher: Batcher, version: int) -> None:
        self.source = source
        self.batcher = batcher
        self.loaded = _loaded(source.run, version)

    def reload(self, version: int) -> None:
        """Loads what lies there now, and only then has it answer. Raises InputError if it cannot be loaded."""
        self.loaded = _loaded(self.source.run, version)

    def check_unchanged(self) -> None:
        """Raises InputError where there is another network now in place of the one that answers."""
        if Network(self.source.run).digest != self.loaded.digest:
            raise InputError(
                f"What {self.source.name} was loaded from was replaced since; load it (SIGHUP) to have it explained."
            )


class Models:
    """All models of a service, by name.

    Args:
        sources: What to serve.
        batcher: Makes the queue of a model, from its name.
        version: Of what is loaded now: of a process that takes the place of another, the service's.

    Raises:
        InputError: If one cannot be loaded, or two have one name.
    """

    def __init__(self, sources: Sequence[Source], batcher: Callable[[str], Batcher], version: int = 1) -> None:
        check_names(sources)
        self._served: Mapping[str, Served] = {each.name: Served(each, batcher(each.name), version) for each in sources}
        self._reloading = threading.Lock()

    def __iter__(self) -> Iterator[Served]:
        return iter(self._served.values())

    @property
    def names(self) -> list[str]:
        """Of all."""
        return list(self._served)

    def __contains__(self, name: object) -> bool:
        return name in self._served

    def find(self, name: str | None, version: str | None = None) -> tuple[Served, Loaded]:
        """A model and what of it answers now; of one that is served alone the name may be left out.

        Raises:
            Unknown: If there is none of that name, or not in that version.
        """
        if name is None:
            if len(self._served) > 1:
                raise Unknown(f"Several models are served: {', '.join(self._served)}. Say which with ?model=NAME.")
            name = next(iter(self._served))
        if name not in self._served:
            raise Unknown(str(unknown("model", name, self._served)))
        served = self._served[name]
        loaded = served.loaded
        if version is not None and version != loaded.version:
            raise Unknown(f"{name} is served in version {loaded.version}, and there is no {version[:20]!r}.")
        return served, loaded

    def reload(self, version: int) -> list[str]:
        """Loads all anew, each beside the one that still answers.

        Args:
            version: Of what is loaded now.

        Returns:
            A sentence on each: what it is now, or why it stays what it was.
        """
        said = []
        with self._reloading:
            for served in self:
                try:
                    served.reload(version)
                    said.append(f"{served.source.name}: version {served.loaded.version} answers from now on.")
                except InputError as error:
                    said.append(
                        f"{served.source.name} stays at version {served.loaded.version}, as the new one could not be "
                        f"loaded: {error}"
                    )
        return said

    def close(self) -> None:
        """Answers what still waits, and ends."""
        for served in self:
            served.batcher.close()


def check_names(sources: Sequence[Source]) -> None:
    """Raises InputError where two models have one name."""
    seen: dict[str, str] = {}
    for each in sources:
        if each.name in seen:
            raise InputError(
                f"{seen[each.name]} and {each.run} would both be called {each.name}. Name one of them: other={each.run}"
            )
        seen[each.name] = each.run


def digests(sources: Sequence[Source]) -> list[str]:
    """What tells from others what lies there now to be served."""
    return [Network(each.run).digest for each in sources]


def _loaded(run: str, version: int) -> Loaded:
    """What answers for a run.

    Raises:
        InputError: If it cannot be loaded, also for want of PyTorch.
    """
    if exported_for(run) is None and find_spec("torch") is None:
        exported = [path for path in (Path(run) / "model.onnx", Path(run) / "model.xml") if path.is_file()]
        hint = (
            f"serve the exported one: {Path(run).name}={exported[0]}"
            if exported
            else "where it is, run googlenet export, and serve what that writes"
        )
        raise InputError(f"{run} needs PyTorch, which is not installed: pip install torch, or {hint}.")
    network = Network(run)
    digest = network.digest  # before: what is replaced meanwhile is told as replaced
    return Loaded(str(version), network.load(), digest)


def has_insides(run: str) -> bool:
    """Whether a run can be explained: not an exported model, whose insides are gone."""
    return exported_for(run) is None
