from __future__ import annotations

from dataclasses import replace

from detection.correlation import groups, signature
from detection.types import Finding, Metric, Subject

AT = 1_770_465_600.0


def finding(onset_at: float = AT, *, service: str | None = "shop", metric: Metric = Metric.LATENCY_P95) -> Finding:
    subject = Subject("endpoint", "POST /checkout", service=service, endpoint="POST /checkout")
    return Finding("endpoint_latency", metric, subject, 900, 50, 40, 60, 60, 9.0, 1e-9, AT, AT + 30, onset_at)


def funnel_finding(onset_at: float = AT, funnel_id: int = 1) -> Finding:
    subject = Subject("funnel", "Signup", funnel_id=funnel_id)
    return replace(finding(onset_at), subject=subject, metric=Metric.CONVERSION_RATE, detector="funnel_conversion")


def test_latency_queries_and_a_funnel_that_break_together_are_one_new_incident() -> None:
    found = groups([finding(), finding(AT + 10, metric=Metric.QUERY_COUNT), funnel_finding(AT + 90)], [])
    assert [(group.incident_id, len(group.findings)) for group in found] == [(None, 3)]


def test_two_services_are_two_incidents_even_at_the_same_time() -> None:
    assert len(groups([finding(), finding(service="search")], [])) == 2


def test_one_service_that_breaks_twice_an_hour_apart_is_two_incidents_when_neither_is_open() -> None:
    assert len(groups([finding(), finding(AT + 3600, metric=Metric.QUERY_COUNT)], [])) == 2


def test_a_funnel_that_breaks_long_after_an_endpoint_is_another_incident() -> None:
    assert len(groups([finding(), funnel_finding(AT + 301)], [])) == 2
    assert len(groups([finding(), funnel_finding(AT + 299)], [])) == 1


def test_a_finding_with_a_known_fingerprint_joins_its_open_incident_however_late() -> None:
    ongoing = signature(7, AT, [finding()])
    assert groups([finding(AT + 7200)], [ongoing])[0].incident_id == 7


def test_an_open_incident_adopts_another_metric_of_its_service_and_a_funnel_of_the_same_time() -> None:
    ongoing = signature(7, AT, [finding()])
    late_queries, funnel = finding(AT + 2000, metric=Metric.QUERY_COUNT), funnel_finding(AT + 100)
    found = groups([late_queries, funnel], [ongoing])
    assert [(group.incident_id, len(group.findings)) for group in found] == [(7, 2)]


def test_an_open_incident_does_not_adopt_another_service_or_a_funnel_of_another_time() -> None:
    ongoing = signature(7, AT, [finding()])
    found = groups([finding(service="search"), funnel_finding(AT + 900)], [ongoing])
    assert [group.incident_id for group in found] == [None, None]


def test_the_incident_with_the_same_fingerprint_wins_and_then_the_nearer_one() -> None:
    same = signature(1, AT - 5000, [finding()])
    near = signature(2, AT, [finding(metric=Metric.QUERY_COUNT)])
    far = signature(3, AT - 200, [finding(metric=Metric.QUERY_COUNT)])
    assert groups([finding()], [far, near, same])[0].incident_id == 1
    assert groups([finding()], [far, near])[0].incident_id == 2


def test_an_open_funnel_incident_adopts_the_endpoint_that_explains_it() -> None:
    assert groups([finding(AT - 60)], [signature(4, AT, [funnel_finding()])])[0].incident_id == 4


def test_without_findings_there_is_no_group() -> None:
    assert groups([], [signature(1, AT, [finding()])]) == []


def log_finding(onset_at: float, service: str = "shop") -> Finding:
    subject = Subject("log_pattern", "out of memory", service=service)
    return replace(finding(onset_at), subject=subject, metric=Metric.LOG_RATE, detector="log_pattern")


def metric_finding(onset_at: float, service: str = "shop") -> Finding:
    subject = Subject("metric", "heap_used_bytes", service=service)
    return replace(finding(onset_at), subject=subject, metric=Metric.CUSTOM, detector="metric_level")


def alert_finding(onset_at: float, service: str | None = "shop") -> Finding:
    subject = Subject("alert", "HighErrorRate", service=service)
    return replace(finding(onset_at), subject=subject, metric=Metric.ALERT, detector="alert")


def test_endpoint_log_metric_alert_and_funnel_findings_of_one_time_are_one_incident() -> None:
    together = [
        finding(AT),
        finding(AT + 5, metric=Metric.ERROR_RATE),
        finding(AT + 9, metric=Metric.REQUEST_RATE),
        log_finding(AT - 20),
        metric_finding(AT + 60),
        alert_finding(AT + 240),
        funnel_finding(AT + 90),
    ]
    assert [len(group.findings) for group in groups(together, [])] == [len(together)]


def test_logs_metrics_and_alerts_of_another_service_are_another_incident() -> None:
    others = [log_finding(AT, "search"), metric_finding(AT, "search"), alert_finding(AT, "search")]
    found = groups([finding(AT), *others], [])
    assert sorted(len(group.findings) for group in found) == [1, 3]


def test_an_alert_without_a_service_joins_findings_of_about_the_same_onset() -> None:
    assert len(groups([finding(AT), alert_finding(AT + 100, None)], [])) == 1
    assert len(groups([finding(AT), alert_finding(AT + 400, None)], [])) == 2


def test_an_open_incident_adopts_a_late_alert_and_a_late_log_of_its_service() -> None:
    ongoing = signature(3, AT, [finding()])
    found = groups([alert_finding(AT + 1800), log_finding(AT + 2400), metric_finding(AT + 3000, "search")], [ongoing])
    assert [(group.incident_id, len(group.findings)) for group in found] == [(3, 2), (None, 1)]


def test_two_templates_of_one_service_differ_and_are_one_incident() -> None:
    first, second = log_finding(AT), replace(log_finding(AT), subject=Subject("log_template", "t2", service="shop"))
    assert first.fingerprint != second.fingerprint
    assert len(groups([first, second], [])) == 1


def notice(onset_at: float = AT, funnel_id: int = 1, kind: str = "funnel_rise", value: str | None = None) -> Finding:
    subject = Subject(kind, "Signup", funnel_id=funnel_id, dimension=value and "country", value=value)
    return replace(funnel_finding(onset_at), subject=subject)


def test_a_rise_or_a_slow_drift_never_shares_an_incident_with_an_outage() -> None:
    outage = signature(3, AT, [funnel_finding(AT)])
    assert [group.incident_id for group in groups([notice(AT), notice(AT, kind="funnel_drift")], [outage])] == [
        None
    ] * 2
    risen = signature(4, AT, [notice(AT)])
    assert [group.incident_id for group in groups([funnel_finding(AT), finding(AT)], [risen])] == [None]
    assert len(groups([finding(AT), funnel_finding(AT), notice(AT)], [])) == 2


def test_rises_of_one_funnel_share_an_incident_and_rises_of_two_do_not() -> None:
    found = groups([notice(AT, value="DE"), notice(AT, value="FR"), notice(AT, funnel_id=2)], [])
    assert sorted(len(group.findings) for group in found) == [1, 2]
    known = signature(4, AT, [notice(AT, value="DE")])
    assert [group.incident_id for group in groups([notice(AT + 9000, value="FR")], [known])] == [4]
