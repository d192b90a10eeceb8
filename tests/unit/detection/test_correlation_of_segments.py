from __future__ import annotations

from dataclasses import replace

from detection.correlation import groups, signature
from detection.types import Attribution, Finding, Metric, Place, Subject, Where, WhereVerdict
from tests.finding_details import DROP

AT = 1_770_465_600.0
PAYPAL: Where = (("country", "DE"), ("payment_method", "paypal"))


def drop(onset_at: float = AT, dimension: str | None = None, value: str | None = None, where: Where = ()) -> Finding:
    subject = Subject("funnel", "Checkout", funnel_id=1, dimension=dimension, value=value)
    places = (Place(where, 200.0, 24.0, 76.0, 0.92),)
    attribution = Attribution(WhereVerdict.PLACES, 0.1, 0.4, -0.3, 0.0, places, (), ("country", "payment_method"))
    return Finding(
        "funnel_conversion", Metric.CONVERSION_RATE, subject, 0.1, 0.4, 0.38, 0.42, 600, -9.0, 1e-9, AT, AT + 600,
        onset_at, replace(DROP, attribution=attribution if where else None),
    )  # fmt: skip


def test_segments_with_a_common_place_are_one_incident_whatever_their_estimated_onsets() -> None:
    found = groups([drop(AT, "country", "DE", PAYPAL), drop(AT + 700, "payment_method", "paypal", PAYPAL)], [])
    assert [len(group.findings) for group in found] == [2]


def test_segments_with_different_places_and_onsets_are_two_incidents() -> None:
    elsewhere: Where = (("country", "FR"),)
    found = groups([drop(AT, "country", "DE", PAYPAL), drop(AT + 700, "country", "FR", elsewhere)], [])
    assert len(found) == 2


def test_the_drop_of_a_funnel_and_of_its_segment_are_one_incident() -> None:
    assert len(groups([drop(AT, "country", "DE"), drop(AT + 900)], [])) == 1
    known = signature(5, AT, [drop(AT, "country", "DE", PAYPAL)])
    assert [group.incident_id for group in groups([drop(AT + 900, where=PAYPAL)], [known])] == [5]


def test_segments_of_two_funnels_are_two_incidents() -> None:
    other = drop(AT + 700, "country", "DE", PAYPAL)
    other = replace(other, subject=replace(other.subject, funnel_id=2))
    assert len(groups([drop(AT, "country", "DE", PAYPAL), other], [])) == 2
