"""OTLP metrics as points: https://opentelemetry.io/docs/specs/otel/metrics/data-model/.

A gauge or a sum is one point. A histogram or summary becomes several, under its own name with .count, .sum, .min and
.max, and .p50 and the like for a summary's quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags, Metric

from detection.types import JsonValue, MetricKind, MetricPoint
from integrations.inbound.otlp.parts import Located, camel
from integrations.inbound.otlp.values import NAME_LIMIT, attributes, nanoseconds, text
from integrations.inbound.reading.digests import digest
from integrations.inbound.reading.records import FieldError, Parsed, refused

KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
"""The fields of a metric of which one holds its data points."""

_HOST = "host.name"
_OF_MACHINES = ("system.", "hw.", "k8s.node.")


def read_metrics(located: Iterable[Located[Metric]], *, now: float) -> Parsed[MetricPoint]:
    """Every data point of a request, each refused by itself; a rejection's index counts the request's metrics."""
    parsed: Parsed[MetricPoint] = Parsed()
    for index, found in enumerate(located):
        try:
            metric, kind = _kind(found.readable())
        except FieldError as error:
            parsed.rejections += [refused(index, found.path(), error)] * max(1, _lost(found))
            continue
        for place, point in enumerate(getattr(metric, kind).data_points):
            try:
                if place in found.unread:
                    raise found.unread[place]
                parsed.records.extend(list(_points(metric, kind, point, found, now=now)))
            except FieldError as error:
                path = f"{found.path()}.{camel(kind)}.dataPoints[{place}]"
                parsed.rejections.append(refused(index, path, error))
    return parsed


def _lost(found: Located[Metric]) -> int:
    """How many data points go with a metric that cannot be taken."""
    metric = found.record
    if isinstance(metric, FieldError):
        return found.points
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def _kind(metric: Metric) -> tuple[Metric, str]:
    kind = metric.WhichOneof("data")
    if not metric.name:
        raise FieldError("name", "is missing")
    if kind not in KINDS:
        raise FieldError("", "has no data of a kind that is known")
    return metric, kind


def _points(metric: Metric, kind: str, point: Any, sent: Located[Metric], *, now: float) -> Iterator[MetricPoint]:
    """What one data point says; nothing where its sender says that there is no value. Raises FieldError."""
    if point.flags & DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK:
        return
    happened_at = nanoseconds(point.time_unix_nano, now=now, field="timeUnixNano")
    found = {**_of_sender(metric.name, sent.sender), **attributes(point.attributes)}
    counts = _counting(metric, kind)
    for suffix, value in _values(kind, point):
        name = text(metric.name, NAME_LIMIT) + suffix
        if not math.isfinite(value):
            if suffix:
                # A summary of nothing has quantiles that are no numbers, beside a count that is one.
                continue
            raise FieldError("value", "is not a finite number")
        yield MetricPoint(
            point_id=_point_id(sent.service, name, happened_at, found),
            name=name,
            service=sent.service,
            happened_at=happened_at,
            value=value,
            kind=counts if suffix in ("", ".count", ".sum") else MetricKind.GAUGE,
            attributes=found,
        )


def _of_sender(name: str, sender: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The instance, whose counters are its own; the machine only where the metric is about machines."""
    return {key: value for key, value in sender.items() if key != _HOST or name.startswith(_OF_MACHINES)}


def _counting(metric: Metric, kind: str) -> MetricKind:
    """Whether a value stands for itself, or counts since the start or since the last point."""
    if kind == "gauge":
        return MetricKind.GAUGE
    if kind == "summary":
        return MetricKind.CUMULATIVE
    data = getattr(metric, kind)
    if kind == "sum" and not data.is_monotonic:
        # An up-and-down counter's cumulative value is a level: connections open now.
        cumulative = data.aggregation_temporality != AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        return MetricKind.GAUGE if cumulative else MetricKind.DELTA
    is_delta = data.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    return MetricKind.DELTA if is_delta else MetricKind.CUMULATIVE


def _values(kind: str, point: Any) -> list[tuple[str, float]]:
    """(what comes after the metric's name, value)."""
    if kind in ("gauge", "sum"):
        held = point.WhichOneof("value")
        if held is None:
            raise FieldError("value", "is missing")
        return [("", float(getattr(point, held)))]
    values = [(".count", float(point.count))]
    if kind == "summary":
        quantiles = [(f".p{quantile.quantile * 100:g}", quantile.value) for quantile in point.quantile_values]
        return [*values, (".sum", point.sum), *quantiles]
    return values + [(f".{name}", getattr(point, name)) for name in ("sum", "min", "max") if point.HasField(name)]


def _point_id(service: str, name: str, happened_at: float, found: dict[str, JsonValue]) -> str:
    """A stream of points has one at a time: service, name, attributes and time make it unique."""
    return digest("otlp", service, name, happened_at, found)
