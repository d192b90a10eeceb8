"""Text from outside never becomes markup: every card, each channel, 2,000 texts."""

from __future__ import annotations

import ast
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from integrations.github.markdown import to_commit_message, to_github
from integrations.jira.wiki import to_wiki
from integrations.slack.blocks import card_blocks, message_text, modal_view, plainer_forms, text_blocks
from integrations.teams.adaptive import adaptive_card
from integrations.text import visible
from integrations.wording import card_text, plain
from tests.unit.workers.telling.cards_of_texts import (
    OUR_ADDRESSES,
    Texts,
    cards,
    closing_comment,
    closing_modals,
    dialog,
    pull_request_body,
    refusal,
    ticket_body,
)
from tests.unit.workers.telling.cards_of_work import Desk, composed
from tests.unit.workers.telling.hostile import SEVERAL, Named
from tests.unit.workers.telling.readers import Read, read_github, read_slack, read_teams, read_wiki

SHOWN_WHOLE = ("endpoint", "service", "segment", "author", "alert", "person", "closer", "ticket", "summary")
SHOWN_IN_TICKETS = ("endpoint", "service", "segment", "author", "alert", "summary")


USUAL: dict[CodeType, list[Read]] = {}
"""What each way to render shows of harmless texts; that does not change."""


def compared(render: Callable[[Texts], list[Read]], drawn: list[str]) -> tuple[str, Named]:
    """Hold what hostile texts are shown as against what harmless ones are. Return all characters that are shown."""
    hostile = Named(drawn)
    if render.__code__ not in USUAL:
        USUAL[render.__code__] = render(Named())
    shown, usual = render(hostile), USUAL[render.__code__]
    for one, other in zip_longest(shown, usual):
        assert one.looks == other.looks
        assert one.links <= OUR_ADDRESSES
        assert one.mentions == []
    return "\n".join(one.text for one in shown), hostile


def assert_comes_out(text: str, hostile: Named, places: Sequence[str] = SHOWN_WHOLE) -> None:
    together = " ".join(text.split())
    for place in places:
        assert visible(hostile(place)) in together, place


def examples(count: int) -> settings:
    """Without shrinking: a card takes long to build, and the failing texts are short."""
    return settings(max_examples=count, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])


many, some, few = examples(60), examples(20), examples(6)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Desk]:
    directory = tmp_path_factory.mktemp("desk")
    made = Desk(f"sqlite:///{shutil.copy(sqlite_template, directory / 'argux.db')}", directory)
    yield made
    made.close()


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


@few
@given(SEVERAL)
def test_every_card_and_dialog_of_the_work_has_our_links_and_looks_only_in_each_channel(
    desk: Desk, drawn: list[str]
) -> None:
    def render(texts: Texts) -> list[Read]:
        shown, dialogs = composed(desk, texts)
        for card in shown:
            assert all(line.isprintable() for line in card_text(card).split("\n"))
            assert not {"<", ">"} & set(message_text(card))
        slack = [*(card_blocks(card) for card in shown), *(modal_view(one)["blocks"] for one in dialogs)]
        return [*(read_slack(blocks) for blocks in slack), *(read_teams(adaptive_card(card)) for card in shown)]

    text, hostile = compared(render, drawn)
    assert_comes_out(text, hostile, ("service", "person", "ticket", "alert", "error", "closer", "check"))


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


def test_every_card_and_dialog_that_the_code_composes_is_read_here(desk: Desk) -> None:
    def compose() -> None:
        list(cards(Named()))
        closing_modals(Named())
        composed(desk, Named())

    composing = {
        (str(path.resolve()), node.func.lineno)
        for folder in ("bot", "workers")
        for path in Path(folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Card", "Modal")
    }
    assert len(composing) > 40
    assert sorted(composing - lines_run(compose, {path for path, _ in composing})) == []


def lines_run(work: Callable[[], None], paths: set[str]) -> set[tuple[str, int]]:
    """Return the lines of these files that run while it works."""
    seen = set()

    def in_a_file(frame: FrameType, event: str, argument: object) -> Any:
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
        return in_a_file

    before = sys.gettrace()
    sys.settrace(lambda frame, event, argument: in_a_file if frame.f_code.co_filename in paths else None)
    try:
        work()
    finally:
        sys.settrace(before)
    return seen


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
