"""What the service tells Prometheus: requests, how long they took, what waits, by model."""

from __future__ import annotations

import os

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from .models import Models

SEVERAL = "PROMETHEUS_MULTIPROC_DIR"  # a folder through which several processes count together
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of one service; no two in a process share them."""

    def __init__(self) -> None:
        own = self._registry = CollectorRegistry()
        self.requests = Counter(
            "googlenet_requests", "Requests, by what came of them.", ("route", "model", "code"), registry=own
        )
        self.seconds = Histogram(
            "googlenet_request_seconds",
            "From the head of a request to its answer.",
            ("route", "model"),
            buckets=_SECONDS,
            registry=own,
        )
        self.waited = Histogram(
            "googlenet_queue_seconds",
            "That a request waited before it was computed.",
            ("model",),
            buckets=_SECONDS,
            registry=own,
        )
        self.examples = Counter("googlenet_examples", "Examples that were answered.", ("model",), registry=own)
        self.queue = Gauge(
            "googlenet_queue_examples", "Examples that wait.", ("model",), multiprocess_mode="livesum", registry=own
        )
        self.version = Gauge(
            "googlenet_model_version",
            "Version that answers: how often a model was loaded.",
            ("model",),
            multiprocess_mode="livemin",
            registry=own,
        )

    def loaded(self, models: Models) -> None:
        """Takes down the versions that answer now."""
        for served in models:
            self.version.labels(served.source.name).set(int(served.loaded.version))

    def text(self) -> tuple[bytes, str]:
        """All of it, and its content type."""
        shown = self._registry
        if SEVERAL in os.environ:
            shown = CollectorRegistry()
            MultiProcessCollector(shown)  # type: ignore[no-untyped-call]
        return generate_latest(shown), CONTENT_TYPE_LATEST
