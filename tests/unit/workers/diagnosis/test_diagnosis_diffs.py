"""Reading diffs: which lines count, which files cannot matter, whose route is touched."""

from __future__ import annotations

import pytest

from workers.diagnosis.diffs import (
    hunks,
    is_aside,
    is_only_aside,
    repeating,
    touches_route,
    trace_statement,
)

STOCK = "SELECT stock FROM products WHERE id = ?"


def test_a_hunk_keeps_added_removed_and_context_lines_apart():
    patch = "--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@ def pay():\n same\n-old\n+new\n+++ counter\n"

    (hunk,) = hunks(patch)

    assert hunk.heading == "def pay():"
    assert (hunk.added, hunk.removed, hunk.context) == (("new", "++ counter"), ("old",), ("same",))


@pytest.mark.parametrize("path", ["README.md", "docs/how.py", "tests/unit/test_pay.py", "LICENSE", "static/logo.png"])
def test_words_pictures_and_tests_cannot_change_how_a_service_runs(path):
    assert is_aside(path)


@pytest.mark.parametrize(
    "path", ["app.py", "templates/pay.html", "settings.yaml", "requirements.txt", "latest/contest.py", ""]
)
def test_code_templates_and_settings_can(path):
    assert not is_aside(path)


def test_a_query_in_a_readme_or_in_removed_lines_is_not_brought_in(commit):
    assert trace_statement(commit("a", "", "README.md", f"@@ -1 +1 @@\n+{STOCK}\n"), STOCK) is None
    assert trace_statement(commit("a", "", "app.py", f"@@ -1 +1 @@\n-{STOCK}\n+pass\n"), STOCK) is None


def test_a_query_moved_into_a_loop_is_told_from_a_new_one(commit):
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
def test_a_route_is_found_by_its_literal_its_file_or_its_function(path, patch, commit):
    assert touches_route(commit("a", "", path, patch), "POST /checkout/{cart_id}") == path


def test_a_route_is_not_found_elsewhere(commit):
    other = commit("a", "", "home.py", "@@ -1 +1 @@ def home():\n+see('/checkouts')\n")

    assert touches_route(other, "POST /checkout") is None
    assert touches_route(other, "GET /") is None


def test_a_merge_commit_repeats_what_its_branch_brought(commit):
    branch = commit("a", "Add", "app.py", "@@ -1 +1 @@\n+one()\n")
    merge = commit("b", "Merge pull request #1", "app.py", "@@ -1 +1 @@\n+one()\n")
    own = commit("c", "Add", "app.py", "@@ -1 +1 @@\n+two()\n")

    assert repeating([branch, merge, own]) == {"b"}


def test_a_commit_without_files_is_not_only_words(commit):
    assert not is_only_aside(commit("a", "", "app.py", ""))
