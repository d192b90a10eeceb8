"""The pages of pull requests, commits and tickets show text from outside as characters: no tag or attribute of it."""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace as Given

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.local.page.templates import render
from tests.html_reader import Reader, read
from tests.unit.workers.telling.hostile import PIECES, Named

MARKUP = ["<", ">", '"', "'", "&", "=", "/", "<a href=x>", "</title>", "<img src=x onerror=alert(1)>", "{{ 7 * 7 }}",
          "{% raw %}", "javascript:alert(1)", "-->", "&lt;b&gt;", "]]>", "\n+", "\n-", "\n@@"]  # fmt: skip
TEXTS = st.lists(
    st.lists(st.sampled_from([*PIECES, *MARKUP]), min_size=1, max_size=6).map(lambda pieces: "".join(pieces) + "y"),
    min_size=12, max_size=12,
)  # fmt: skip


def one_line(text: str) -> str:
    return text.replace("\n", " ")


def pages(named: Named) -> list[str]:
    files = [{"path": one_line(named("path")), "additions": 1, "deletions": 0, "patch": one_line(f"+{named('patch')}")}]
    pull = Given(
        title=named("title"), number=3, state="open", merged_at=None, head=named("head"), base=named("base"),
        repository="acme/shop", created_at=0.0, body=named("body"), head_sha="a" * 40, merge_commit_sha=None,
        labels=[named("label")], comments=[Given(id=1, created_at=0.0, body=named("comment"))],
    )  # fmt: skip
    author = Given(name=named("author"), date="today")
    commit = Given(message=f"{one_line(named('subject'))}\n\n{named('message')}", author=author, sha="a" * 40)
    ticket = Given(
        key="SHOP-1", summary=named("title"), issue_type="Bug", status="Open", created=0.0, priority=named("priority"),
        labels=[named("label")], description=named("body"), comments=[Given(created=0.0, body=named("comment"))],
    )  # fmt: skip
    return [
        render("pull_request.html", pull=pull, files=files, mergeable=True),
        render("commit.html", commit=commit, repository="acme/shop", files=files),
        render("ticket.html", ticket=ticket),
        render("missing.html", message=named("message")),
    ]


@cache
def harmless() -> list[Reader]:
    return [read(page) for page in pages(Named())]


@settings(max_examples=15, deadline=None)
@given(TEXTS)
def test_hostile_text_adds_no_tag_attribute_or_comment_to_a_page(drawn: list[str]) -> None:
    hostile = Named(drawn)
    found = [read(page) for page in pages(hostile)]
    for shown, usual in zip(found, harmless(), strict=True):
        assert shown.tags == usual.tags
        assert shown.other == usual.other == []
    pull_request = found[0].text
    for place in ("title", "body", "label", "comment"):
        assert hostile(place) in pull_request, place


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '" onmouseover="alert(1)', "{{ pull.title }}"])
def test_a_page_shows_such_a_text_as_it_is(text: str) -> None:
    shown = read(render("missing.html", message=text))

    assert text in shown.text
    assert "script" not in [tag for tag, _ in shown.tags]
