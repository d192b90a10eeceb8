"""The page of `argux investigate --html`: one file that shows texts from outside and does nothing that they say."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.investigate.answer import Investigation
from bot.investigate.command import run
from bot.investigate.marks import Marks
from bot.investigate.page.chain_picture import chain_picture
from bot.investigate.page.page import page
from bot.terminal import PlainConsole

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\" onload='x'"

ANSWER = Investigation(
    case="night-of-the-fourth",
    root_cause_commit="559e94ce11aa",
    confidence=0.93,
    cause_confidence=0.93,
    cause="deploy",
    first_failing_service="cart-db",
    remediation="restore-value",
    origin_service="cart-db",
    propagation_path=(("cart-db", "cart"), ("cart", "checkout")),
    coverage="Coverage: checked metrics; nothing in flags.",
    seconds=1.24,
    problems=("metrics.csv, line 3: no number",),
    story=("Deploy 559e94c broke it [E1].",),
    evidence=("[E1] (commits) it could do this.",),
)


class _Elements(HTMLParser):
    """Notes every element and attribute of a page, and which elements were left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_says_what_was_found_and_why() -> None:
    written = page([(ANSWER, Marks(commit=True))])
    for said in (
        *("deploy of 559e94ce", "93 %", "Deploy 559e94c broke it [E1].", "restore value", "cart-db"),
        *("nothing in flags", "metrics.csv, line 3", "[E1] (commits)", "commit right"),
    ):
        assert said in written


def test_every_text_from_outside_is_shown_and_does_nothing() -> None:
    answer = Investigation(
        case=EVIL,
        root_cause_commit="none",
        cause=EVIL,
        first_failing_service=EVIL,
        remediation=EVIL,
        origin_service=EVIL,
        propagation_path=((EVIL, "cart"), ("cart", f"{EVIL}2")),
        coverage=EVIL,
        story=(EVIL,),
        evidence=(EVIL,),
        problems=(EVIL,),
    )
    triaged = Investigation(case=EVIL, decisions={EVIL: "page"}, reasons={EVIL: EVIL})
    elements = _Elements(page([(answer, None), (triaged, None)]))
    assert not {"script", "img", "iframe", "link"} & set(elements.names)
    assert not [name for name in elements.attributes if name.startswith("on") or name == "src"]
    assert elements.open == []


def test_the_page_loads_nothing_and_follows_the_readers_theme() -> None:
    written = page([(ANSWER, None)])
    assert "default-src 'none'" in written
    assert "@media (prefers-color-scheme: dark)" in written
    assert "width=device-width" in written
    assert "http://" not in written
    assert "https://" not in written


def test_several_incidents_begin_with_a_table_that_leads_to_each() -> None:
    written = page([(ANSWER, Marks(commit=True)), (Investigation(case="other"), Marks(commit=False))])
    assert 'href="#incident-2"' in written
    assert 'id="incident-2"' in written
    assert "1 of 2 with a truth.json are right." in written


def test_one_incident_has_no_table() -> None:
    assert "<table>" not in page([(ANSWER, None)])


def test_the_picture_draws_each_part_once_below_whom_it_was_dragged_along_by() -> None:
    path = (("cart-db", "cart"), ("cart", "checkout"), ("cart-db", "search"), ("search", "checkout"))
    drawn = ElementTree.fromstring(chain_picture("cart-db", path))
    texts = [item.text for item in drawn.iter("text")]
    assert texts == ["cart-db failed first", "cart", "checkout (also by search)", "search"]
    assert len(list(drawn.iter("path"))) == 3


def test_the_picture_of_a_circle_ends() -> None:
    assert chain_picture("a", (("a", "b"), ("b", "a"))).count("<circle") == 2


def test_a_part_that_failed_alone_needs_no_picture() -> None:
    assert chain_picture("cart", ()) == ""


def test_a_page_that_cannot_be_written_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "incident"
    folder.mkdir()
    console = PlainConsole()
    code = run([folder], as_json=False, console=console, problems=console, html=tmp_path / "no" / "page.html")
    assert code == 1
    assert "could not be written" in capsys.readouterr().out


def test_the_page_is_written_beside_what_is_printed(tmp_path: Path) -> None:
    folder = tmp_path / "incident"
    folder.mkdir()
    console = PlainConsole()
    assert run([folder], as_json=False, console=console, problems=console, html=tmp_path / "page.html") == 0
    assert "<h1>Incident incident</h1>" in (tmp_path / "page.html").read_text(encoding="utf-8")
