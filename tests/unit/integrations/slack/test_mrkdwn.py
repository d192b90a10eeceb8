from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.slack.mrkdwn import cut, link, pieces, to_mrkdwn

MARKDOWN = st.lists(
    st.sampled_from([*"ab *`&<>[]()\n-#!@", "```\n", "https://x.y/", "[a](https://b.c)"]), max_size=80
).map("".join)


@pytest.mark.parametrize(
    ("markdown", "mrkdwn"),
    [
        ("**p95** rose", "*p95* rose"),
        ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
        ("see [the docs](https://x.y/z?a=1&b=2)", "see <https://x.y/z?a=1&amp;b=2|the docs>"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("- one\n- **two**", "• one\n• *two*"),
        ("## Cause", "*Cause*"),
        ("`**kwargs`", "`**kwargs`"),
        ("```sql\nSELECT **1** < 2\n```", "```\nSELECT **1** &lt; 2\n```"),
        ("```\nnever closed", "```\nnever closed\n```"),
        ("since <t:1770465600>", "since <!date^1770465600^{time} {date_short_pretty}|2026-02-07 12:00 UTC>"),
        ("<!channel> hello", "&lt;!channel&gt; hello"),
    ],
)
def test_markdown_becomes_the_equivalent_slack_markup(markdown: str, mrkdwn: str) -> None:
    assert to_mrkdwn(markdown) == mrkdwn


def test_a_mention_is_kept_only_if_the_caller_allows_it() -> None:
    assert to_mrkdwn("ask <@U0ANA>") == "ask &lt;@U0ANA&gt;"
    assert to_mrkdwn("ask <@U0ANA> <!here>", mentions=True) == "ask <@U0ANA> &lt;!here&gt;"


def test_a_link_cannot_be_ended_early_by_its_address_or_label() -> None:
    assert link("a|b", "https://x.y/?q=a|b>c") == "<https://x.y/?q=a%7Cb%3Ec|a/b>"


def test_a_link_that_is_too_long_becomes_its_label() -> None:
    assert link("label", "https://x.y/" + "a" * 3000) == "label"


@given(MARKDOWN)
def test_text_from_outside_never_contains_a_slack_control_sequence(markdown: str) -> None:
    text = to_mrkdwn(markdown)
    assert "<!" not in text
    assert "<@" not in text
    assert text.count("<") == text.count("<http")


@given(MARKDOWN, st.integers(40, 120))
def test_pieces_are_never_longer_than_the_limit_and_close_their_fences(markdown: str, limit: int) -> None:
    for piece in pieces(to_mrkdwn(markdown), limit):
        assert len(piece) <= limit
        assert piece.strip()
        assert [line.strip() for line in piece.split("\n")].count("```") % 2 == 0


@given(st.text(alphabet="word &<", min_size=1), st.integers(2, 60))
def test_cutting_never_splits_an_entity(text: str, limit: int) -> None:
    shortened = cut(to_mrkdwn(text), limit)
    assert len(shortened) <= limit
    rest = shortened.removesuffix("…")
    for entity in ("&amp;", "&lt;", "&gt;"):
        rest = rest.replace(entity, "")
    assert "&" not in rest


def test_splitting_a_long_text_loses_no_words() -> None:
    words = [f"word{number}" for number in range(2000)]
    assert " ".join(pieces(" ".join(words), 300)).split() == words
