"""What a Statuspage says is read from its feeds and its webhooks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detection.types import ProviderStatus
from integrations.inbound.reading.records import PayloadError
from integrations.inbound.status.statuspage import read_statuspage

NOW = 1_770_465_600.0
BEGAN = "2026-02-07T11:00:00.000Z"
PAGE = {"id": "y2j", "name": "Payments Inc", "url": "https://status.payments.example"}
INCIDENT: dict[str, Any] = {
    "id": "p31", "name": "Elevated errors", "status": "investigating", "impact": "major", "created_at": BEGAN,
    "resolved_at": None, "shortlink": "https://stspg.io/p31", "components": [{"id": "c1", "name": "API"}],
    "incident_updates": [{"affected_components": [{"name": "API"}, {"name": "Webhooks"}]}],
}  # fmt: skip


def read(value: Any, provider: str | None = None) -> list[ProviderStatus]:
    return read_statuspage(json.dumps(value).encode(), provider=provider, now=NOW).records


def test_an_incident_of_a_feed_is_read_with_its_components_and_lasts_until_it_is_resolved() -> None:
    [status] = read({"page": PAGE, "hosts": ["API.payments.example"], "incidents": [INCIDENT]})
    assert (status.provider, status.status_id, status.title) == ("Payments Inc", "p31", "Elevated errors")
    assert (status.component, status.impact, status.hosts) == ("API, Webhooks", "major", ("api.payments.example",))
    assert (status.began_at, status.ended_at) == (NOW - 3600, None)
    ended = {**INCIDENT, "status": "resolved", "resolved_at": "2026-02-07T11:30:00Z"}
    assert [one.ended_at for one in read({"page": PAGE, "incidents": [ended]})] == [NOW - 1800]


def test_the_name_in_the_settings_comes_before_the_pages_own() -> None:
    assert [one.provider for one in read({"page": PAGE, "incidents": [INCIDENT]}, "stripe")] == ["stripe"]


def test_a_component_that_does_not_work_is_told_and_those_that_do_are_not() -> None:
    components = [
        {"id": "c1", "name": "API", "status": "major_outage", "updated_at": BEGAN},
        {"id": "c2", "name": "Dashboard", "status": "operational", "updated_at": BEGAN},
        {"id": "c3", "name": "All", "status": "major_outage", "group": True},
    ]
    [status] = read({"page": PAGE, "components": components, "incidents": []})
    assert (status.status_id, status.title, status.began_at) == ("component:c1", "API: major outage", NOW - 3600)


def test_a_component_within_a_told_incident_is_not_told_twice() -> None:
    components = [{"id": "c1", "name": "API", "status": "major_outage"}]
    assert [one.status_id for one in read({"page": PAGE, "components": components, "incidents": [INCIDENT]})] == ["p31"]


def test_a_webhook_tells_of_one_incident_or_of_a_components_end() -> None:
    assert [one.status_id for one in read({"page": PAGE, "incident": INCIDENT})] == ["p31"]
    update = {"old_status": "major_outage", "new_status": "operational", "created_at": BEGAN}
    [status] = read({"page": PAGE, "component": {"id": "c1", "name": "API", "status": "operational"},
                     "component_update": update})  # fmt: skip
    assert (status.status_id, status.ended_at) == ("component:c1", NOW - 3600)


def test_a_bad_incident_is_named_by_its_path_and_the_others_stay() -> None:
    body = {"page": PAGE, "incidents": [{**INCIDENT, "created_at": "noon"}, {"name": "no id"}, 7, INCIDENT]}
    parsed = read_statuspage(json.dumps(body).encode(), now=NOW)
    assert [rejection.field for rejection in parsed.rejections] == [
        "incidents[0].created_at",
        "incidents[1].id",
        "incidents[2]",
    ]
    assert len(parsed.records) == 1


@pytest.mark.parametrize(
    ("body", "field"), [({}, "provider"), ({"page": PAGE}, "incidents"), ({"page": 7}, "page"), ([], "")]
)
def test_what_is_no_status_page_is_refused(body: Any, field: str) -> None:
    with pytest.raises(PayloadError) as caught:
        read(body)
    assert caught.value.field == field
