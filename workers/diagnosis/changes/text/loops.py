"""Which lines of a fragment run once for each item: by indentation, which every formatter keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_HEADER = re.compile(
    r"^\s*(?:\}\s*)?(?:async\s+)?(?:for|foreach|while|until|loop)\b|\.(?:forEach|each|map|flatMap|each_with_index|"
    r"for_each|forEachOrdered|mapNotNull|collect|parallelStream|peek|Select|associateWith|flat_map|map_async|"
    r"array_map|each_slice|sumOf|onEach|reduce)\s*(?:\(|\{|do\b)|\barray_map\(|\bFOR\b.+\bLOOP\b|\beach do\b",
)
_COMPREHENSION = re.compile(r"[\[({](?P<item>[^\[\]]*?)\bfor\s+[\w,\s()]+\s+in\b")
_RETRYING = re.compile(r"attempt|retr(?:y|ies)|tries|backoff", re.IGNORECASE)
_ENDLESS = re.compile(
    r"^\s*(?:for\s*\{|while\s*\(?\s*(?:true|True|1)\s*\)?\s*[:{]|loop\s*(?:\{|do)|for\s*\(\s*;\s*;\s*\))"
)
_CHUNKED = re.compile(r"chunk|batch|page|\+=\s*(?:size|step|n)\b", re.IGNORECASE)


def looped_parts(lines: Sequence[str], heading: str = "") -> Iterator[tuple[str, bool]]:
    """Yield the text that runs for each item of a loop, and whether the loop goes over chunks.

    Loops that repeat one thing, for a retry or for ever, are left out.
    """
    open_at: list[tuple[int, bool, bool]] = []
    if _HEADER.search(heading) and not _RETRYING.search(heading):
        open_at.append((-1, True, bool(_CHUNKED.search(heading))))
    for text in lines:
        depth = len(text) - len(text.lstrip())
        if not text.strip().startswith(("{", ".")):
            while open_at and depth <= open_at[-1][0]:
                open_at.pop()
        if open_at and all(counts for _, counts, _ in open_at):
            yield text, open_at[-1][2]
        elif comprehension := _COMPREHENSION.search(text):
            yield comprehension["item"], False
        if header := _HEADER.search(text):
            counts = not (_RETRYING.search(text) or _ENDLESS.match(text) or few_times(text))
            is_chunked = bool(_CHUNKED.search(text))
            if counts and (body := _body_on_the_line(text, header)):
                yield body, is_chunked
            open_at.append((depth, counts, is_chunked))


_FEW_TIMES = re.compile(
    r"\bfor\b.*[<]=?\s*(?:[2-9]|1\d|max\w*|MAX\w*)\s*;|\bfor\b.*\bin\s+(?:range\((?:1,\s*)?(?:[2-9]|1\d)\)|0\.\.[2-9]\b)|\b[2-9]\.times\b",
)


def few_times(header: str) -> bool:
    """Whether a loop runs a small fixed number of times, as one does that tries again."""
    return bool(_FEW_TIMES.search(header)) and not re.search(r"len\(|length|size", header)


def _body_on_the_line(text: str, header: re.Match[str]) -> str:
    """Return what a header runs for each item on its own line: behind `.map(`, or behind the brace of a `for`."""
    if header.group().lstrip().startswith((".", "array_map")):
        return text[header.end() :]
    found = re.search(r"\{(.+)$", text)
    return found[1] if found else ""
