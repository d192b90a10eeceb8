from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.inbound.deploys.api import DeployNotice, parse_deploy
from integrations.inbound.reading.records import PayloadError

NOW = 1_770_465_600.0  # 2026-02-07T12:00:00Z
GIVEN = {
    "service": "shop",
    "version": "v42",
    "commit_sha": "3F2A9C1" + "0" * 33,
    "repository": "acme/shop",
    "deployed_at": "2026-02-07T11:59:00Z",
    "deployed_by": "ana",
}


def parsed(**changes: Any) -> DeployNotice:
    body = {name: value for name, value in {**GIVEN, **changes}.items() if value is not None}
    return parse_deploy(json.dumps(body).encode(), now=NOW)


def test_all_fields_of_a_deploy_are_read() -> None:
    assert parsed() == DeployNotice("shop", "v42", "3f2a9c1" + "0" * 33, "acme/shop", NOW - 60, "ana")


def test_a_deploy_without_a_time_gets_the_current_time() -> None:
    assert parsed(deployed_at=None, deployed_by=None).deployed_at == NOW


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"service": None}, "service"),
        ({"service": ""}, "service"),
        ({"version": 42}, "version"),
        ({"commit_sha": "main"}, "commit_sha"),
        ({"repository": "shop"}, "repository"),
        ({"repository": "../../etc"}, "repository"),
        ({"deployed_at": "soon"}, "deployed_at"),
        ({"deployed_at": NOW + 90_000}, "deployed_at"),
    ],
)
def test_a_malformed_deploy_is_refused_with_the_invalid_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(PayloadError) as caught:
        parsed(**changes)
    assert caught.value.field == field


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_not_an_object_is_refused(body: bytes) -> None:
    with pytest.raises(PayloadError):
        parse_deploy(body, now=NOW)
