"""What a scenario's commits say: a message, a path and a unified diff, with names and numbers filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Template:
    """A change in the abstract. Words such as @Thing@ stand for what a variant fills in.

    body: lines that begin with " ", "+" or "-". place: the function or key that the hunk is in.
    """

    mechanism: str
    language: str
    path: str
    message: str
    place: str
    body: str

    def filled(self, words: Mapping[str, str], line: int) -> Written:
        """Return the change with its words, its hunk at `line`."""

        def fill(text: str) -> str:
            for word, value in words.items():
                text = text.replace(f"@{word}@", value)
            return text

        lines = [line or " " for line in fill(self.body.strip("\n")).split("\n")]
        if self.language == "go":
            lines = [_with_tabs(line) for line in lines]
        before = sum(text[:1] != "+" for text in lines)
        after = sum(text[:1] != "-" for text in lines)
        header = f"@@ -{line},{before} +{line},{after} @@ {fill(self.place)}".rstrip()
        return Written(fill(self.path), fill(self.message), "\n".join((header, *lines)))


@dataclass(frozen=True, slots=True)
class Written:
    """A change as a code host shows it."""

    path: str
    message: str
    diff: str


def _with_tabs(line: str) -> str:
    """Return the line with tabs for the four spaces of each level, as Go is formatted."""
    mark, code = line[0], line[1:]
    bare = code.lstrip(" ")
    return mark + "\t" * ((len(code) - len(bare)) // 4) + bare
