"""Changes of flags are read from our own form and from the webhooks of LaunchDarkly, Unleash and Flagsmith."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.inbound.flags.api import parse_flags
from integrations.inbound.flags.flagsmith import read_flagsmith
from integrations.inbound.flags.launchdarkly import read_launchdarkly
from integrations.inbound.flags.unleash import read_unleash
from integrations.inbound.reading.records import PayloadError

NOW = 1_770_465_600.0
AT = "2026-02-07T11:59:00Z"


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_our_own_form_takes_any_value_and_a_time() -> None:
    body = encoded([{"flag": "ttl", "service": "cart", "before": 300, "after": 3, "at": AT, "by": "ana"},
                    {"flag": "new", "after": {"b": 1, "a": True}}])  # fmt: skip
    first, second = (notice.change for notice in parse_flags(body, now=NOW).records)
    assert (first.flag, first.service, first.before, first.after) == ("ttl", "cart", "300", "3")
    assert (first.changed_at, first.changed_by) == (NOW - 60, "ana")
    assert (second.before, second.after, second.changed_at) == (None, '{"a":true,"b":1}', NOW)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"after": "on"}, "flag"),
        ({"flag": "", "after": "on"}, "flag"),
        ({"flag": "f"}, "after"),
        ({"flag": "f", "after": 1, "before": 1}, "after"),
        ({"flag": "f", "after": 1, "at": "noon"}, "at"),
        ({"flag": "f", "after": 1, "service": 7}, "service"),
        ({"flag": "f", "after": 1, "by": "x" * 201}, "by"),
    ],
)
def test_a_wrong_field_is_named_and_the_other_changes_stay(change: dict[str, Any], field: str) -> None:
    parsed = parse_flags(encoded([change, {"flag": "good", "after": "on"}]), now=NOW)
    assert [rejection.field for rejection in parsed.rejections] == [f"[0].{field}"]
    assert [notice.change.flag for notice in parsed.records] == ["good"]


def launchdarkly(**changed: Any) -> dict[str, Any]:
    return {
        "_id": "57c0a8e2", "date": int((NOW - 60) * 1000), "kind": "flag", "name": "New checkout",
        "accesses": [{"action": "updateOn", "resource": "proj/shop:env/production:flag/new-checkout;beta"}],
        "titleVerb": "turned on the flag", "member": {"firstName": "Ana", "lastName": "Li", "email": "ana@acme.com"},
        **changed,
    }  # fmt: skip


def test_launchdarkly_tells_that_a_flag_was_turned_on_where_and_by_whom() -> None:
    [change] = read_launchdarkly(encoded(launchdarkly()), now=NOW).changes
    assert (change.flag, change.environment, change.before, change.after) == ("new-checkout", "production", "off", "on")
    assert (change.changed_at, change.changed_by) == (NOW - 60, "Ana Li")
    assert change.change_id == "launchdarkly:57c0a8e2:new-checkout:production"


def test_launchdarkly_tells_which_part_of_the_targeting_changed() -> None:
    versions = [
        {"environments": {"production": {"on": True, "version": count, "fallthrough": {"variation": count}}}}
        for count in (0, 1)
    ]
    entry = launchdarkly(titleVerb="updated", previousVersion=versions[0], currentVersion=versions[1])
    [change] = read_launchdarkly(encoded(entry), now=NOW).changes
    assert (change.before, change.after) == ('{"fallthrough":{"variation":0}}', '{"fallthrough":{"variation":1}}')


@pytest.mark.parametrize(
    "entry",
    [
        launchdarkly(kind="member"),
        launchdarkly(accesses=[{"action": "updateName", "resource": "proj/shop:env/production:flag/new-checkout"}]),
        launchdarkly(accesses=[{"action": "updateOn", "resource": "proj/shop:env/production"}]),
        launchdarkly(accesses=[]),
    ],
)
def test_launchdarkly_entries_that_change_no_flag_are_ignored_with_a_reason(entry: dict[str, Any]) -> None:
    news = read_launchdarkly(encoded(entry), now=NOW)
    assert (news.changes, bool(news.ignored)) == ((), True)


def unleash(**changed: Any) -> dict[str, Any]:
    where = {"project": "default", "featureName": "new-checkout", "environment": "production"}
    event = {"id": 842, "type": "feature-environment-enabled", "createdBy": "ana", "createdAt": AT}
    return {**event, **where, "data": None, "preData": None, **changed}


def test_unleash_tells_that_a_flag_was_enabled_in_an_environment() -> None:
    [change] = read_unleash(encoded(unleash()), now=NOW).changes
    assert (change.flag, change.environment, change.before, change.after) == ("new-checkout", "production", "off", "on")
    assert (change.changed_at, change.changed_by) == (NOW - 60, "ana")


def test_unleash_tells_what_of_a_strategy_changed_and_nothing_else() -> None:
    before, after = ({"name": "flexibleRollout", "parameters": {"rollout": share}} for share in ("10", "100"))
    [change] = read_unleash(
        encoded(unleash(type="feature-strategy-update", preData=before, data=after)), now=NOW
    ).changes
    assert (change.before, change.after) == ('{"parameters":{"rollout":"10"}}', '{"parameters":{"rollout":"100"}}')


def test_unleash_events_that_change_nothing_that_runs_are_ignored() -> None:
    assert read_unleash(encoded(unleash(type="feature-tagged")), now=NOW).ignored
    with pytest.raises(PayloadError) as caught:
        read_unleash(encoded(unleash(featureName=None)), now=NOW)
    assert caught.value.field == "featureName"


def flagsmith(kind: str = "FLAG_UPDATED", **changed: Any) -> dict[str, Any]:
    states = [
        {"enabled": enabled, "environment": {"id": 23, "name": "Production"},
         "feature": {"id": 1, "name": "new-checkout"},
         "feature_segment": None, "feature_state_value": 5, "identity": None, "identity_identifier": None}
        for enabled in (False, True)
    ]  # fmt: skip
    data = {"changed_by": "Ana", "timestamp": AT, "previous_state": states[0], "new_state": states[1], **changed}
    return {"event_type": kind, "data": data}


def test_flagsmith_tells_state_and_value_before_and_after() -> None:
    [change] = read_flagsmith(encoded(flagsmith()), now=NOW).changes
    assert (change.flag, change.environment, change.before, change.after) == (
        "new-checkout", "Production", "off: 5", "on: 5",
    )  # fmt: skip
    assert (change.changed_at, change.changed_by) == (NOW - 60, "Ana")


def test_flagsmith_flags_of_one_person_and_audit_logs_are_ignored() -> None:
    state = flagsmith()["data"]["new_state"]
    assert read_flagsmith(encoded(flagsmith(new_state={**state, "identity_identifier": "ana"})), now=NOW).ignored
    assert read_flagsmith(encoded({"event_type": "AUDIT_LOG_CREATED", "data": {"log": "x"}}), now=NOW).ignored
    assert read_flagsmith(encoded(flagsmith(previous_state=state)), now=NOW).ignored


@pytest.mark.parametrize("read", [read_launchdarkly, read_unleash, read_flagsmith])
@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"null", b'{"type": 7}', b'{"_id": "a", "date": "noon", "kind": "flag"}']
)
def test_what_is_no_webhook_is_refused(read: Any, body: bytes) -> None:
    with pytest.raises(PayloadError):
        read(body, now=NOW)
