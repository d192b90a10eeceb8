from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from integrations.cards import moment
from integrations.slack.mrkdwn import cut, escape, small_print
from integrations.text import ours


@given(st.text(alphabet="word &<", min_size=1), st.integers(2, 60))
def test_cutting_never_splits_an_entity(text: str, limit: int) -> None:
    shortened = cut(escape(text), limit)
    assert len(shortened) <= limit
    rest = shortened.removesuffix("…")
    for entity in ("&amp;", "&lt;", "&gt;"):
        rest = rest.replace(entity, "")
    assert "&" not in rest


def test_the_small_print_shows_times_in_the_readers_zone_and_makes_no_links() -> None:
    printed = small_print(ours("Since {at}. http://x.y & <!here>", at=moment(1770465600)), 500)
    assert printed["type"] == "mrkdwn"
    assert printed["verbatim"] is True
    assert printed["text"] == (
        "Since <!date^1770465600^{time} {date_short_pretty}|2026-02-07 12:00 UTC>. http://x.y &amp; &lt;!here&gt;"
    )


def test_small_print_that_slack_would_format_is_plain_text() -> None:
    printed = small_print(ours("Since {at} by {who}", at=moment(1770465600), who="*Mia* :tada:"), 500)
    assert printed == {"type": "plain_text", "text": "Since 2026-02-07 12:00 UTC by *Mia* :tada:", "emoji": False}
