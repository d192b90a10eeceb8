"""The past of the shop's own metrics, as its OpenTelemetry client would have sent it."""

from __future__ import annotations

from random import Random

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

HIT_RATIO = "cache.hit_ratio"
PAST_SECONDS = 5400.0
EVERY_SECONDS = 30.0


def past_hit_ratio(usual: float, until: float, random: Random) -> bytes:
    """Encode the hit ratio of the last PAST_SECONDS before `until` as the body of a POST to /v1/metrics.

    Most values are a little below 1, as many as are above the usual one. until: seconds since the epoch.
    """
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.append(KeyValue(key="service.name", value=AnyValue(string_value="shop")))
    metric = resource.scope_metrics.add().metrics.add(name=HIT_RATIO)
    for number in range(int(PAST_SECONDS / EVERY_SECONDS)):
        at = until - PAST_SECONDS + number * EVERY_SECONDS
        value = max(1.0 - random.expovariate(1.0 / (1.0 - usual)), 0.8)
        metric.gauge.data_points.add(time_unix_nano=int(at * 1e9), as_double=value)
    return request.SerializeToString()
