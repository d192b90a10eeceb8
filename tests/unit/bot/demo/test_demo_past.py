"""The past of what only some scenarios have: the cache's hit ratio, and the inventory behind the shop."""

from __future__ import annotations

from random import Random

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from bot.demo.behaviour import Step
from bot.demo.history.gauges import EVERY_SECONDS, PAST_SECONDS, past_hit_ratio
from bot.demo.history.visits import Answer
from bot.demo.history.wire import answer_spans, reserve_spans

NOW = 1_777_894_800.0


def test_the_past_hit_ratio_is_about_the_usual_one_and_ends_before_the_shop_opened() -> None:
    request = ExportMetricsServiceRequest.FromString(past_hit_ratio(0.985, NOW, Random(3)))

    (metric,) = request.resource_metrics[0].scope_metrics[0].metrics
    points = metric.gauge.data_points
    values = [point.as_double for point in points]
    assert len(points) == PAST_SECONDS / EVERY_SECONDS
    assert max(point.time_unix_nano for point in points) < NOW * 1e9
    assert max(values) <= 1.0
    assert 0.975 < sum(values) / len(values) < 0.995


def test_a_checkout_of_the_past_asked_the_inventory_within_its_own_time() -> None:
    checkout = answer_spans(Answer(Step.CHECKOUT, NOW, 0.12), Random(1))[0]

    asked, query = reserve_spans(checkout, Random(2))

    assert (asked.kind, asked.trace_id, asked.parent_span_id) == (
        Span.SPAN_KIND_SERVER,
        checkout.trace_id,
        checkout.span_id,
    )
    assert (query.trace_id, query.parent_span_id) == (checkout.trace_id, asked.span_id)
    assert asked.end_time_unix_nano < checkout.end_time_unix_nano
    assert query.end_time_unix_nano < asked.end_time_unix_nano
