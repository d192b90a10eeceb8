from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from integrations.slack.rich_text import rich_texts
from integrations.text import Markup, code, link, ours, theirs

MARKDOWN = st.lists(
    st.sampled_from([*"ab *`&<>[]()\n-#!@\\", "```\n", "https://x.y/", "[a](https://b.c)", "<@U1>", "<t:5>"]),
    max_size=80,
).map("".join)


def inlines(markdown: str, *, mentions: bool = False) -> list[dict[str, Any]]:
    (block,) = rich_texts(markdown, 3000, mentions=mentions)
    (section,) = block["elements"]
    found: list[dict[str, Any]] = section["elements"]
    return found


def test_the_cards_markdown_becomes_rich_text() -> None:
    text = ours("**p95** rose, {docs}, {query}", docs=link("docs", "https://x.y/z?a=1"), query=code("SELECT **1**"))
    assert inlines(text) == [
        {"type": "text", "text": "p95", "style": {"bold": True}},
        {"type": "text", "text": " rose, "},
        {"type": "link", "url": "https://x.y/z?a=1", "text": "docs"},
        {"type": "text", "text": ", "},
        {"type": "text", "text": "SELECT **1**", "style": {"code": True}},
    ]


def test_a_time_is_shown_in_the_readers_time_zone() -> None:
    date = {"type": "date", "timestamp": 1770465600, "format": "{time} {date_short_pretty}"}
    assert inlines("<t:1770465600>") == [{**date, "fallback": "2026-02-07 12:00 UTC"}]


def test_lists_headings_and_fences_have_elements_of_their_own() -> None:
    (block,) = rich_texts("## Cause\n- one\n- two\n```sql\nSELECT\n1\n```", 3000)
    heading, items, fence = block["elements"]
    assert heading["elements"] == [{"type": "text", "text": "Cause", "style": {"bold": True}}]
    assert [item["elements"][0]["text"] for item in items["elements"]] == ["one", "two"]
    assert fence == {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "SELECT\n1"}]}


def test_a_mention_is_kept_only_if_the_caller_allows_it_and_it_is_ours() -> None:
    assert inlines("ask <@U0ANA>")[1] == {"type": "text", "text": "@U0ANA"}
    assert inlines("ask <@U0ANA>", mentions=True)[1] == {"type": "user", "user_id": "U0ANA"}
    assert inlines(theirs("ask <@U0ANA>"), mentions=True) == [{"type": "text", "text": "ask <@U0ANA>"}]


@given(MARKDOWN, st.integers(20, 120))
def test_no_block_is_longer_than_the_limit_or_has_an_empty_element(markdown: str, limit: int) -> None:
    for block in rich_texts(markdown, limit):
        texts = _texts(block)
        assert sum(map(len, texts)) <= limit + 20
        assert block["elements"]
        assert all(texts)


def test_dividing_a_long_text_loses_no_words() -> None:
    words = [f"word{number}" for number in range(2000)]
    blocks = list(rich_texts(Markup(" ".join(words)), 300))
    assert "".join(text for block in blocks for text in _texts(block)).split() == words


def _texts(node: object) -> list[str]:
    found = json.loads(json.dumps(node))
    if isinstance(found, dict):
        own = [found["text"]] if isinstance(found.get("text"), str) else []
        return own + [text for value in found.values() if isinstance(value, list) for text in _texts(value)]
    return [text for item in found for text in _texts(item)] if isinstance(found, list) else []
