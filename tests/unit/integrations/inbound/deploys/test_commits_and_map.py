"""Commits with their diffs and declared service maps are read in Argux's own form."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detection.types import ChangedFile, EdgeKind, ServiceEdge, ServicePlace
from integrations.inbound.deploys.commits import MOST_COMMITS, parse_commits
from integrations.inbound.deploys.service_map import parse_service_map
from integrations.inbound.flags.api import MOST_CHANGES, parse_flags
from integrations.inbound.reading.records import PayloadError

NOW = 1_770_465_600.0
SHA = "3F2A9C1D5E8B7A6F4C3D2E1F0A9B8C7D6E5F4A3B"


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def test_the_lines_of_a_patch_are_counted_where_nobody_says_how_many() -> None:
    patch = "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-old\n+new\n+more\n same\n"
    commit = {"sha": SHA, "committed_at": NOW - 60, "files": [{"path": "x", "patch": patch}, {"path": "y"}]}
    [read] = parse_commits(encoded(commit), now=NOW).records
    assert (read.sha, read.committed_at, read.parent_sha) == (SHA.lower(), NOW - 60, None)
    assert read.files == (ChangedFile("x", "modified", 2, 1, patch), ChangedFile("y", "modified", 0, 0, ""))


def test_a_bad_commit_costs_no_other() -> None:
    good = {"sha": SHA, "committed_at": NOW}
    bad = [{**good, "parent_sha": "HEAD~1"}, {**good, "committed_at": 5}, 7]
    parsed = parse_commits(encoded([good, *bad]), now=NOW)
    assert (len(parsed.records), [one.field for one in parsed.rejections]) == (
        1, ["[1].parent_sha", "[2].committed_at", "[3]"],
    )  # fmt: skip


def test_too_many_at_once_are_refused_and_none_is_dropped_in_silence() -> None:
    with pytest.raises(PayloadError, match="more than"):
        parse_commits(encoded([{}] * (MOST_COMMITS + 1)), now=NOW)
    with pytest.raises(PayloadError, match="more than"):
        parse_flags(encoded([{}] * (MOST_CHANGES + 1)), now=NOW)


def test_a_map_declares_edges_datastores_and_nodes() -> None:
    found = parse_service_map(
        encoded(
            {
                "services": [{"name": "cart", "node": "n1", "nodes": ["n2"], "datastores": ["cart-db", "cart"]}],
                "edges": [{"from": "web", "to": "cart"}, {"from": "cart", "to": "redis", "kind": "stores"}],
            }
        ),
        now=NOW,
    )
    assert found.edges == [
        ServiceEdge("cart", "cart-db", EdgeKind.STORES, "declared", NOW),
        ServiceEdge("cart", "redis", EdgeKind.STORES, "declared", NOW),
        ServiceEdge("web", "cart", EdgeKind.CALLS, "declared", NOW),
    ]
    assert found.places == [ServicePlace("cart", "n1", NOW), ServicePlace("cart", "n2", NOW)]
