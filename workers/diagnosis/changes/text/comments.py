"""Take comments out of the lines of a diff, by the language of the file: what is only said does nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from workers.diagnosis.changes.text.words import word_set

_HASH = word_set(
    """
    .py .rb .yaml .yml .toml .sh .bash .pl .r .ex .exs .tf .hcl .properties .env .conf .cfg .ini
    .ps1 .nix .txt
    """
)
_SLASHES = word_set(
    """
    .go .java .kt .kts .scala .js .jsx .ts .tsx .mjs .cjs .c .h .cc .cpp .cs .rs .swift .php .proto
    .groovy .gradle .dart .tf .hcl .json5 .jsonc .sql .mod .work
    """
)
_DASHES = frozenset([".sql", ".lua", ".hs"])
_SLASH_LINE = re.compile(r"^\s*//(?!go:)")
"""A comment in many languages, and in no language a line that does something."""
_HASH_LINE = re.compile(r"^\s*#\s")
"""A comment in many languages: so it is read where the language is not known."""
_BLOCK_LINE = re.compile(r"^\s*(?:/\*.*(?:\*/)?|\*(?:\s.*|/.*)?|<!--.*-->)\s*$")
_TRIPLE = ('"""', "'''")


def without_comments(path: str, lines: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield the lines without comments, docstrings and empty lines."""
    suffix = PurePosixPath(path).suffix.lower() or f".{PurePosixPath(path).name.lower().lstrip('.')}"
    marks = _marks(suffix)
    inside = ""
    for sign, text in lines:
        if inside:
            inside = "" if inside in text else inside
            continue
        stripped = text.strip()
        if suffix == ".py" and stripped.startswith(_TRIPLE):
            mark = stripped[:3]
            inside = mark if stripped.count(mark) == 1 else ""
            continue
        if _SLASH_LINE.match(text) or (marks is None and _HASH_LINE.match(text)):
            continue
        if _BLOCK_LINE.match(text) and suffix not in (".py", ".yaml", ".yml", ".md"):
            continue
        kept = marks.sub("", text) if marks else text
        if kept.strip():
            yield sign, kept.rstrip()


def _marks(suffix: str) -> re.Pattern[str] | None:
    """Return the pattern of a comment to the end of the line; it must begin the line or follow a space."""
    marks = [r"//"] * (suffix in _SLASHES) + [r"#"] * (
        suffix in _HASH or suffix in (".dockerfile", ".makefile", ".php")
    )
    marks += [r"--(?!>)"] * (suffix in _DASHES)
    return re.compile(rf"(?:^|(?<=\s))(?:{'|'.join(marks)})(?!go:).*$") if marks else None
