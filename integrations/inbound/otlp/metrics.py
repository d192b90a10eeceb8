"""Convert OTLP metrics to points: https://opentelemetry.io/docs/specs/otel/metrics/data-model/.

A data point of a gauge or a sum becomes one point. A data point of a histogram or summary becomes several: the metric's
name with .count, .sum, .min and .max, and .p50 and so on for a summary's quantiles.
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
from integrations.inbound.reading.records import FieldError, Parsed, rejection_at

KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")
"""The fields of a metric that can hold its data points. At most one of them is set."""

_HOST = "host.name"
_MACHINE_PREFIXES = ("system.", "hw.", "k8s.node.")


def read_metrics(located: Iterable[Located[Metric]], *, now: float) -> Parsed[MetricPoint]:
    """Read every data point of a request. Each is refused separately. A rejection's index is that of its metric."""
    parsed: Parsed[MetricPoint] = Parsed()
    for index, found in enumerate(located):
        try:
            metric, kind = _kind(found.readable())
        except FieldError as error:
            parsed.rejections += [rejection_at(index, found.path(), error)] * max(1, _lost_points(found))
            continue
        for place, point in enumerate(getattr(metric, kind).data_points):
            try:
                if place in found.unread:
                    raise found.unread[place]
                parsed.records.extend(list(_points(metric, kind, point, found, now=now)))
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


def _points(metric: Metric, kind: str, point: Any, sent: Located[Metric], *, now: float) -> Iterator[MetricPoint]:
    """Yield the points of one data point; none if the sender marked it as having no value. Raises FieldError.

    A stream has one point at each time. Its name, its attributes, its resource and its scope make a stream:
    https://opentelemetry.io/docs/specs/otel/metrics/data-model/#opentelemetry-protocol-data-model
    """
    if point.flags & DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK:
        return
    happened_at = nanoseconds(point.time_unix_nano, now=now, field="timeUnixNano")
    found = {**sent.scope, **_sender_attributes(metric.name, sent.sender), **attributes(point.attributes)}
    counts = _metric_kind(metric, kind)
    for suffix, value in _values(kind, point):
        name = text(metric.name, NAME_LIMIT) + suffix
        if not math.isfinite(value):
            if suffix:
                # A summary without observations has quantiles that are NaN, next to a valid count.
                continue
            raise FieldError("value", "is not a finite number")
        yield MetricPoint(
            point_id=digest("otlp", sent.origin, name, point.time_unix_nano, found),
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
