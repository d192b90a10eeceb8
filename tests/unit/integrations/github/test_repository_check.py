"""Can a repository be written with the token: in GitHub's own shapes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.errors import AuthenticationError, RejectedError
from integrations.github import GitHubCodeHost
from tests.unit.integrations.loopback import Loopback


def asked(loopback: Loopback, **found: Any) -> str:
    repository = {"full_name": "acme/shop", "default_branch": "main", "archived": False, "url": loopback.url, **found}
    loopback.answer(200, json.dumps(repository).encode(), Content_Type="application/json")
    return GitHubCodeHost("ghp_secret", base_url=loopback.url).check_repository("acme/shop")


def test_a_writable_repository_is_well(loopback: Loopback) -> None:
    assert asked(loopback, permissions={"push": True, "pull": True, "admin": False}) == "acme/shop (main)"


def test_a_repository_that_can_only_be_read_names_what_the_token_lacks(loopback: Loopback) -> None:
    with pytest.raises(AuthenticationError, match="contents and pull requests, read and write"):
        asked(loopback, permissions={"push": False, "pull": True, "admin": False})


def test_an_archived_repository_is_refused(loopback: Loopback) -> None:
    with pytest.raises(RejectedError, match="archived"):
        asked(loopback, archived=True)
