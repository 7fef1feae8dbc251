"""Parts computed by Ray: it starts actors where there is room, and does again what was lost."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import Any

from ...errors import InputError, reason
from .label import Counts, Network, label_part
from .plan import Plan


def computed(network: Network, plan: Plan, parts: Sequence[int], address: str | None) -> Iterator[tuple[int, Counts]]:
    """Computes parts, in any order, and tells of each when it is written.

    The run and the folder of the results are at the same paths on every machine.

    Args:
        network: What labels.
        plan: Of all parts.
        parts: Numbers of those to compute.
        address: Of a cluster, as ``ray.init`` takes it; ``None`` starts one on this machine.

    Raises:
        InputError: If Ray is not installed or not there, or a part cannot be computed.
    """
    try:
        import ray
    except ModuleNotFoundError:
        raise InputError("ray is not installed: pip install 'googlenet[scale]'.") from None
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(address=address, log_to_driver=False, include_dashboard=False, logging_level=logging.ERROR)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise InputError(f"There is no Ray at {address or 'this machine'}: {reason(error)}") from error
    try:
        yield from _computed(ray, network, plan, parts)
    finally:
        if ours:
            ray.shutdown()


def _computed(ray: Any, network: Network, plan: Plan, parts: Sequence[int]) -> Iterator[tuple[int, Counts]]:
    cores = int(ray.cluster_resources().get("CPU", 1))
    each = max(1, min(int(node["Resources"].get("CPU", 1)) for node in ray.nodes() if node["Alive"]))
    actor = ray.remote(num_cpus=each, max_restarts=-1, max_task_retries=-1)(_Labels)
    actors = [actor.remote(network, plan) for _ in range(max(1, min(len(parts), cores // each)))]
    waiting, running = list(reversed(parts)), dict[Any, tuple[Any, int]]()
    while waiting or running:
        for free in [one for one in actors if one not in [busy for busy, _ in running.values()]]:
            if waiting:
                part = waiting.pop()
                running[free.label.remote(part)] = (free, part)
        done, _ = ray.wait(list(running))
        for reference in done:
            _, part = running.pop(reference)
            try:
                found = ray.get(reference)
            except ray.exceptions.RayError as error:
                cause = getattr(error, "cause", None) or error
                raise InputError(f"Part {part} could not be computed: {reason(cause, -1)}") from error
            yield part, found


class _Labels:
    """What an actor does: it has one engine, for all parts that it computes."""

    def __init__(self, network: Network, plan: Plan) -> None:
        self._predictor, self._plan = network.load(), plan

    def label(self, part: int) -> Counts:
        """Computes a part."""
        return label_part(self._predictor, self._plan, part)
