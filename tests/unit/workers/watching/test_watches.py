from __future__ import annotations

from detection.types import Metric
from workers.watching.catalogue import WATCHES, watch_of


def test_every_metric_is_measured_by_one_watch() -> None:
    for metric in Metric:
        assert [watch for watch in WATCHES if metric in watch.metrics] == [watch_of(metric)]
