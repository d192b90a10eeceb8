"""Convert OTLP metrics to points: https://opentelemetry.io/docs/specs/otel/metrics/data-model/.

A data point of a gauge or a sum becomes one point. A data point of a histogram or summary becomes several: the metric's
name with .count, .sum, .min and .max, and .p50 and so on for a summary's quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, DataPointFlags, Metric

from detection.types import JsonValue, MetricKind, MetricPoint
from integrations.inbound.otlp.parts import Located, camel
from integrations.inbound.otlp.values import NAME_LIMIT, attributes, nanoseconds, text
from integrations.inbound.reading.digests import digest
from integrations.inbound.reading.records import FieldError, Parsed, rejection_at

KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
"""The fields of a metric that can hold its data points. At most one of them is set."""

_HOST = "host.name"
_MACHINE_PREFIXES = ("system.", "hw.", "k8s.node.")


def read_metrics(located: Iterable[Located[Metric]], *, now: float) -> Parsed[MetricPoint]:
    """Read every data point of a request. Each is refused separately. A rejection's index is that of its metric."""
    parsed: Parsed[MetricPoint] = Parsed()
    streams = _Streams()
    for index, found in enumerate(located):
        try:
            metric, kind = _kind(found.readable())
        except FieldError as error:
            parsed.rejections += [rejection_at(index, found.path(), error)] * max(1, _lost_points(found))
            continue
        stream = streams.of(metric, kind, found)
        for place, point in enumerate(getattr(metric, kind).data_points):
            try:
                if place in found.unread:
                    raise found.unread[place]
                parsed.records.extend(list(_points(metric, kind, point, found, stream, now=now)))
            except FieldError as error:
                path = f"{found.path()}.{camel(kind)}.dataPoints[{place}]"
                parsed.rejections.append(rejection_at(index, path, error))
    return parsed


def _lost_points(found: Located[Metric]) -> int:
    """Return the number of data points that are lost with an unreadable metric."""
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


class _Stream(NamedTuple):
    """What tells metrics of one name and scope apart: unit and kind. told: it as attributes, for all but the first."""

    unit: str
    kind: str
    told: Mapping[str, JsonValue]


class _Streams:
    """The metrics of one request. Two of one name that differ in unit or kind are two, and the second says so."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], tuple[str, str]] = {}

    def of(self, metric: Metric, kind: str, sent: Located[Metric]) -> _Stream:
        """Return the stream of a metric."""
        unit, kept_as = text(metric.unit, NAME_LIMIT), f"{kind}:{_metric_kind(metric, kind).value}"
        first_unit, first_kind = self._first.setdefault((sent.origin, metric.name), (unit, kept_as))
        told: dict[str, JsonValue] = {}
        if unit != first_unit:
            told["unit"] = unit
        if kept_as != first_kind:
            told["kind"] = "gauge" if kind == "gauge" else kept_as.replace(":", " ")
        return _Stream(unit, kept_as, told)


def _points(
    metric: Metric, kind: str, point: Any, sent: Located[Metric], stream: _Stream, *, now: float
) -> Iterator[MetricPoint]:
    """Yield the points of one data point; none if the sender marked it as having no value. Raises FieldError.

    A stream has one point at each time. Its name, unit, kind, attributes, resource and scope make a stream:
    https://opentelemetry.io/docs/specs/otel/metrics/data-model/#opentelemetry-protocol-data-model
    A point without a time was measured when it came.
    """
    if point.flags & DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK:
        return
    time = point.time_unix_nano
    happened_at = nanoseconds(time, now=now, field="timeUnixNano") if time else now
    sender = _sender_attributes(metric.name, sent.sender)
    found = {**sent.scope, **stream.told, **sender, **attributes(point.attributes)}
    counts = _metric_kind(metric, kind)
    for suffix, value in _values(kind, point):
        name = text(metric.name, NAME_LIMIT) + suffix
        if not math.isfinite(value):
            if suffix:
                # A summary without observations has quantiles that are NaN, next to a valid count.
                continue
            raise FieldError("value", "is not a finite number")
        yield MetricPoint(
            point_id=digest("otlp", sent.origin, name, stream.unit, stream.kind, time or now, found),
            name=name,
            service=sent.service,
            happened_at=happened_at,
            value=value,
            kind=counts if suffix in ("", ".count", ".sum") else MetricKind.GAUGE,
            attributes=found,
        )


def _sender_attributes(name: str, sender: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the instance, which has its own counters, and the host only if the metric is about machines."""
    return {key: value for key, value in sender.items() if key != _HOST or name.startswith(_MACHINE_PREFIXES)}


def _metric_kind(metric: Metric, kind: str) -> MetricKind:
    """Return the kind of a value: a gauge, a count since the start, or a count since the last point."""
    if kind == "gauge":
        return MetricKind.GAUGE
    if kind == "summary":
        return MetricKind.CUMULATIVE
    data = getattr(metric, kind)
    if kind == "sum" and not data.is_monotonic:
        # The cumulative value of an UpDownCounter is a level, such as the connections open now.
        cumulative = data.aggregation_temporality != AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
        return MetricKind.GAUGE if cumulative else MetricKind.DELTA
    is_delta = data.aggregation_temporality == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
    return MetricKind.DELTA if is_delta else MetricKind.CUMULATIVE


def _values(kind: str, point: Any) -> list[tuple[str, float]]:
    """Return (suffix of the metric's name, value) pairs. Raises FieldError."""
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
