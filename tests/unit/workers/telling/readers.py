"""Read what a channel was given as that channel does: its looks and links, and the characters that people see.

These are written from the channels' documentation, and share nothing with the code that renders.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token


@dataclass
class Read:
    """looks: the kinds of formatting in order, without neighbours that look alike. text: the characters."""

    looks: list[str] = field(default_factory=list)
    links: set[str] = field(default_factory=set)
    mentions: list[str] = field(default_factory=list)
    text: str = ""

    def see(self, look: str, text: str) -> None:
        self.looks.append(look)
        self.text += text

    def done(self) -> Read:
        self.looks = [look for look, _ in groupby(self.looks)]
        return self


# Slack

_SLACK_FORMATS = re.compile(r"[*_~`]|:[\w+-]+:|<|^\s*(?:&gt;|[•-] )")


def read_slack(blocks: list[dict[str, Any]]) -> Read:
    read = Read()
    for block in blocks:
        match block["type"]:
            case "header":
                assert block["text"]["type"] == "plain_text"
                assert block["text"]["emoji"] is False
                read.see("header", block["text"]["text"] + "\n")
            case "rich_text":
                for element in block["elements"]:
                    _read_rich(element, read)
                    read.see("end", "\n")
            case "context":
                for element in block["elements"]:
                    read.see("context", _context(element))
            case "actions":
                for element in block["elements"]:
                    assert element["text"]["type"] == "plain_text"
            case "input":
                assert block["label"]["type"] == "plain_text"
            case "section":
                assert block["text"]["type"] == "plain_text"
                assert block["text"]["emoji"] is False
                read.see("section", block["text"]["text"] + "\n")
            case other:
                raise AssertionError(f"{other} may hold mrkdwn")
    return read.done()


def _read_rich(element: dict[str, Any], read: Read) -> None:
    kind = element["type"].removeprefix("rich_text_")
    if kind == "list":
        for item in element["elements"]:
            _read_rich(item, read)
            read.see("item", "\n")
        return
    for part in element["elements"]:
        bold = " bold" if part.get("style", {}).get("bold") else ""
        if part["type"] == "link":
            read.links.add(part["url"])
        elif part["type"] not in ("text", "date"):
            read.mentions.append(part["type"])
        read.see(f"{kind} {part['type']}{bold}", part.get("text") or part.get("fallback", ""))


def _context(element: dict[str, Any]) -> str:
    text: str = element["text"]
    if element["type"] == "plain_text":
        return text
    assert element["verbatim"] is True
    shown = re.sub(r"<!date\^[^|>]*\|([^>]*)>", r"\1", text)
    assert not _SLACK_FORMATS.search(shown)
    return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


# Teams

_CARD_DATE = re.compile(r"\{\{TIME\([\dTZ:-]+\)\}\} \{\{DATE\([\dTZ:-]+, SHORT\)\}\}")


def read_teams(card: dict[str, Any]) -> Read:
    read = Read()
    for block in card["body"]:
        assert block["type"] == "RichTextBlock", "other texts are Markdown"
        for run in block["inlines"]:
            text = run["text"]
            is_date = _CARD_DATE.fullmatch(text)
            assert is_date or "{{" not in text
            if "selectAction" in run:
                read.links.add(run["selectAction"]["url"])
            look = [run.get("weight"), run.get("size"), run.get("color"), run.get("isSubtle"), "selectAction" in run]
            read.see(json.dumps([bool(is_date), *look]), text)
        read.see("end", "\n")
    read.links |= {action["url"] for action in card.get("actions", [])}
    return read.done()


# Jira

_WIKI = [
    ("heading", r"^h[1-6]\. "),
    ("quote", r"^bq\. "),
    ("item", r"^[*#-]+ "),
    ("rule", r"^-{4,}"),
    ("break", r"\\\\"),
    ("macro", r"\{(?!\{)[^{}\n]*\}"),
    ("link", r"\[[^\]\n]+\]"),
    ("picture", r"![^!\n]+!"),
    ("table", r"\|"),
    ("citation", r"\?\?[^?\n]+\?\?"),
    *(
        ("look", rf"(?<![\w\\]){mark}(?=[^\s{mark}])[^\n]*?(?<=\S){mark}(?!\w)")
        for mark in (r"\*", "_", r"\+", r"\^", "~")
    ),
    ("struck", r"(?<![\w\\-])-(?=[^\s-])[^\n]*?(?<=[^\s-])-(?![\w-])"),
    ("dash", r"---?"),
    ("address", r"\w+://|\bmailto:"),
    ("issue", r"\b[A-Z][A-Z0-9_]+-\d"),
    ("smiley", r"[:;]-?[()DPp|]|\((?:[yYnNiIxX!/?+-]|on|off|\*[rgby]?|flag|flagoff)\)"),
    ("entity", r"&#?\w+;"),
]


def read_wiki(wiki: str) -> Read:
    """Read wiki markup: an escaped character is put out of the way before the marks are looked for."""
    read = Read()
    literal = re.compile(r"\\([^A-Za-z0-9\s\\])|&#(\d+);")
    bare = literal.sub("\ue000", wiki).replace("{{", "").replace("}}", "")
    for line in bare.split("\n"):
        for name, pattern in _WIKI:
            for found in re.finditer(pattern, line):
                target = found[0].rpartition("|")[2].rstrip("]") if name == "link" and "|" in found[0] else ""
                if target:
                    read.links.add(target)
                # Parts of our own link are no marks of their own.
                if not any(found.start() > each.start() and found.end() <= each.end() for each in _our_links(line)):
                    read.looks.append(name)
    read.text = literal.sub(lambda found: found[1] or chr(int(found[2])), wiki)
    return read


def _our_links(line: str) -> list[re.Match[str]]:
    return list(re.finditer(r"\[[^\]|\n]+\|https://ours\.example/[^\]\n]*\]", line))


# GitHub

_GITHUB_LINKED = re.compile(r"(?<!\w)@\w|#\d|\bGH-\d|\w://|\bwww\.|:[\w+-]+:|\w@\w|\b[0-9a-f]{7,40}\b", re.IGNORECASE)


def read_github(markdown: str) -> Read:
    read = Read()
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])

    def walk(tokens: list[Token]) -> None:
        for token in tokens:
            if token.type == "html_inline":
                assert token.content == "<!-- -->"
            elif token.type == "text":
                assert not _GITHUB_LINKED.search(token.content), token.content
                read.text += token.content
            elif token.type == "code_inline":
                read.text += token.content
            elif token.type == "inline":
                walk(token.children or [])
                read.text += "\n"
            elif token.type in ("softbreak", "hardbreak"):
                read.text += "\n"
            else:
                if token.type == "link_open":
                    read.links.add(str(token.attrs["href"]))
                read.looks.append(token.type + token.tag)

    walk(reader.parse(markdown))
    return read
