"""Text from outside never becomes markup: every card, each channel, 2,000 texts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from itertools import zip_longest
from pathlib import Path

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from integrations.github.markdown import to_commit_message, to_github
from integrations.jira.wiki import to_wiki
from integrations.slack.blocks import card_blocks, message_text, modal_view, plainer_forms, text_blocks
from integrations.teams.adaptive import adaptive_card
from integrations.text import visible
from integrations.wording import card_text, plain
from tests.unit.workers.telling.cards_of_texts import (
    OUR_ADDRESS,
    Texts,
    cards,
    closing_comment,
    closing_modals,
    dialog,
    pull_request_body,
    refusal,
    ticket_body,
)
from tests.unit.workers.telling.readers import Read, read_github, read_slack, read_teams, read_wiki

PIECES = [
    *"*_~`[](){}<>!|#+-=&^?@:;.\\/$ ", "a", "B7", "**", "~~", "__", "```", "``", "\n", "\r\n", "\t", "- ", "* ", "# ",
    "1. ",
    "h1. ", "bq. ", "> ", "----", "[x](https://evil.example)", "<https://evil.example|Approve>", "https://evil.example",
    "www.evil.example", "mailto:a@b.cc", "<!channel>", "<!here>", "<@U0ANA>", "<@W1>", "<#C1>", "<t:1770465600>",
    "@here", "@mia", "#12", "GH-3", "ABC-12", "[~admin]", "{color:red}", "{noformat}", "{code}", "{{", "}}",
    "{{DATE(2026-02-07T12:00:00Z)}}", "<!date^1^{time}|x>", ":tada:", ":)", "(!)", "&lt;", "&#42;", "<b>", "<script>",
    "\u202e", "\u2066", "\u200b", "\ufeff", "\x1b[31m", "\x07", "\x9b", "\u2028", "\u00a0", "\ue000",
    "é", "漢", "🟠", "%s", "{name}",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(lambda pieces: "".join(pieces)[:36] + "y")
SEVERAL = st.lists(TEXT, min_size=50, max_size=50)
SHOWN_WHOLE = ("endpoint", "service", "segment", "author", "alert", "person", "closer", "ticket", "summary")
SHOWN_IN_TICKETS = ("endpoint", "service", "segment", "author", "alert", "summary")


class Named:
    """The text of each place: the drawn ones in the order in which they are asked for, else the place's own name."""

    def __init__(self, drawn: list[str] | None = None) -> None:
        self.known: dict[str, str] = {}
        self._drawn = iter(drawn) if drawn is not None else None

    def __call__(self, place: str) -> str:
        if place not in self.known:
            self.known[place] = next(self._drawn) if self._drawn is not None else f"{place.replace(' ', '')}y"
        return self.known[place]


def compared(render: Callable[[Texts], list[Read]], drawn: list[str]) -> tuple[str, Named]:
    """Hold what hostile texts are shown as against what harmless ones are. Return all characters that are shown."""
    hostile = Named(drawn)
    shown, usual = render(hostile), render(Named())
    for one, other in zip_longest(shown, usual):
        assert one.looks == other.looks
        assert one.links <= {OUR_ADDRESS}
        assert one.mentions == []
    return "\n".join(one.text for one in shown), hostile


def assert_comes_out(text: str, hostile: Named, places: Sequence[str] = SHOWN_WHOLE) -> None:
    together = " ".join(text.split())
    for place in places:
        assert visible(hostile(place)) in together, place


def examples(count: int) -> settings:
    """Without shrinking: a card takes long to build, and the failing texts are short."""
    return settings(max_examples=count, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


many, some = examples(60), examples(20)


@many
@given(SEVERAL)
def test_slack_shows_every_card_with_our_links_and_looks_only(drawn: list[str]) -> None:
    text, hostile = compared(lambda texts: [read_slack(card_blocks(card)) for card in cards(texts)], drawn)
    assert_comes_out(text, hostile)


@some
@given(SEVERAL)
def test_teams_shows_every_card_with_our_links_and_looks_only(drawn: list[str]) -> None:
    text, hostile = compared(lambda texts: [read_teams(adaptive_card(card)) for card in cards(texts)], drawn)
    assert_comes_out(text, hostile)


@some
@given(SEVERAL)
def test_the_plainer_forms_of_a_card_in_slack_are_plain(drawn: list[str]) -> None:
    for card in cards(Named(drawn)):
        _, essential, text_only = plainer_forms(card)
        shown = read_slack(essential["blocks"])
        assert shown.links == set()
        assert shown.mentions == []
        assert text_only["mrkdwn"] is False
        assert "<" not in text_only["text"]


@many
@given(SEVERAL)
def test_a_dialog_and_a_refusal_in_slack_have_our_looks_only(drawn: list[str]) -> None:
    def render(texts: Texts) -> list[Read]:
        dialogs = [dialog(texts), *closing_modals(texts)]
        return [*(read_slack(modal_view(one)["blocks"]) for one in dialogs), read_slack(text_blocks(refusal(texts)))]

    text, hostile = compared(render, drawn)
    assert visible(hostile("person")) in text


@many
@given(SEVERAL)
def test_a_ticket_has_our_marks_only(drawn: list[str]) -> None:
    text, hostile = compared(lambda texts: [read_wiki(to_wiki(ticket_body(texts)))], drawn)
    assert_comes_out(text, hostile, SHOWN_IN_TICKETS)


@many
@given(SEVERAL)
def test_a_pull_request_calls_nobody_and_has_our_marks_only(drawn: list[str]) -> None:
    def render(texts: Texts) -> list[Read]:
        written = [to_github(pull_request_body(texts)), to_github(closing_comment(texts))]
        found = [read_github(one) for one in written]
        for read in found:
            read.looks = [look for look in read.looks if "code" not in look]
        return found

    text, hostile = compared(render, drawn)
    assert_comes_out(text, hostile, SHOWN_IN_TICKETS)
    assert "@mia" not in to_commit_message(pull_request_body(hostile))


@some
@given(SEVERAL)
def test_the_plain_text_of_a_card_has_the_characters_and_nothing_hidden(drawn: list[str]) -> None:
    hostile = Named(drawn)
    for card in cards(hostile):
        text = card_text(card)
        assert all(line.isprintable() for line in text.split("\n"))
        fallback = message_text(card)
        assert "<" not in fallback
        assert ">" not in fallback
    assert_comes_out("\n".join(card_text(card) for card in cards(hostile)), hostile)
    assert "\\\\" not in plain(refusal(Named()))


def test_what_is_called_ours_is_written_in_the_code() -> None:
    """`ours` takes a literal: an f-string or a name as its template could hold text of theirs."""
    wrong = []
    for folder in ("bot", "workers", "integrations"):
        for path in Path(folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                name = ast.unparse(node.func)
                is_literal = bool(node.args) and isinstance(node.args[0], ast.Constant)
                if name == "ours" and not is_literal:
                    wrong.append(f"{path}:{node.lineno} ours")
                if name == "Markup" and not is_literal and str(path) not in MAKERS:
                    wrong.append(f"{path}:{node.lineno} Markup")
    assert wrong == []


MAKERS = ("integrations/text.py", "integrations/cards.py", "workers/diagnosis/citations.py")
"""Where Markup is made by hand: of what is escaped, of a number, and of Markup with citations."""
