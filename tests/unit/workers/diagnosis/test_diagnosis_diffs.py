"""Reading diffs: added and removed lines, files that cannot change the service, and the route of an endpoint."""

from __future__ import annotations

import pytest

from tests.unit.workers.diagnosis.conftest import MakeCommit
from workers.diagnosis.diffs import (
    changes_no_code,
    hunks,
    is_not_code,
    repeated_commits,
    touches_route,
    trace_statement,
)

STOCK = "SELECT stock FROM products WHERE id = ?"


def test_a_hunk_separates_added_removed_and_context_lines() -> None:
    patch = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@ def pay():\n same\n-old\n+new\n+++ counter\n"

    (hunk,) = hunks(patch)

    assert hunk.heading == "def pay():"
    assert (hunk.added, hunk.removed, hunk.context) == (("new", "++ counter"), ("old",), ("same",))


@pytest.mark.parametrize("path", ["README.md", "docs/how.py", "tests/unit/test_pay.py", "LICENSE", "static/logo.png"])
def test_documentation_images_and_tests_cannot_change_how_a_service_runs(path: str) -> None:
    assert is_not_code(path)


@pytest.mark.parametrize(
    "path", ["app.py", "templates/pay.html", "settings.yaml", "requirements.txt", "latest/contest.py", ""]
)
def test_code_templates_and_settings_can_change_how_a_service_runs(path: str) -> None:
    assert not is_not_code(path)


def test_a_query_in_a_readme_or_in_removed_lines_does_not_count_as_added(commit: MakeCommit) -> None:
    assert trace_statement(commit("a", "", "README.md", f"@@ -1 +1 @@\n+{STOCK}\n"), STOCK) is None
    assert trace_statement(commit("a", "", "app.py", f"@@ -1 +1 @@\n-{STOCK}\n+pass\n"), STOCK) is None


def test_a_query_moved_into_a_loop_is_marked_as_moved(commit: MakeCommit) -> None:
    patch = f'@@ -1 +1 @@\n-row = run("{STOCK}")\n+for item in items:\n+    row = run("{STOCK}")\n'

    trace = trace_statement(commit("a", "", "app.py", patch), STOCK)

    assert trace is not None
    assert (trace.moved, trace.beside_loop) == (True, True)


@pytest.mark.parametrize(
    ("path", "patch"),
    [
        ("app.py", '@@ -1 +1 @@\n @app.post("/checkout/{cart_id}")\n+slow()\n'),
        ("shop/checkout.py", "@@ -1 +1 @@\n+slow()\n"),
        ("app.py", "@@ -1 +1 @@ async def checkout_cart(cart_id):\n+slow()\n"),
    ],
)
def test_a_route_is_found_by_its_literal_its_file_name_or_its_function_name(
    path: str, patch: str, commit: MakeCommit
) -> None:
    assert touches_route(commit("a", "", path, patch), "POST /checkout/{cart_id}") == path


def test_a_route_is_not_found_in_unrelated_code(commit: MakeCommit) -> None:
    other = commit("a", "", "home.py", "@@ -1 +1 @@ def home():\n+see('/checkouts')\n")

    assert touches_route(other, "POST /checkout") is None
    assert touches_route(other, "GET /") is None


def test_a_merge_commit_repeats_the_lines_of_its_branch(commit: MakeCommit) -> None:
    branch = commit("a", "Add", "app.py", "@@ -1 +1 @@\n+one()\n")
    merge = commit("b", "Merge pull request #1", "app.py", "@@ -1 +1 @@\n+one()\n")
    own = commit("c", "Add", "app.py", "@@ -1 +1 @@\n+two()\n")

    assert repeated_commits([branch, merge, own]) == {"b"}


def test_a_commit_without_a_patch_is_not_documentation_only(commit: MakeCommit) -> None:
    assert not changes_no_code(commit("a", "", "app.py", ""))
