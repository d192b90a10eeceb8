"""Tell a unified diff from anything else that an address may answer, and give it a digest.

Format: https://git-scm.com/docs/diff-format. What is shown above a button that merges must be the whole change.
"""

from __future__ import annotations

import hashlib
import re

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
_HEADERS = (
    "index ", "old mode ", "new mode ", "deleted file mode ", "new file mode ", "copy from ", "copy to ",
    "rename from ", "rename to ", "similarity index ", "dissimilarity index ", "--- ", "+++ ", "Binary files ",
)  # fmt: skip


def fault_of(text: str) -> str | None:
    """Return why a text is no whole unified diff, in a few words; None if it is one."""
    start = text.lstrip()[:200].lower()
    if not start:
        return "it is empty"
    if start.startswith(("<!doctype", "<html", "<?xml")):
        return "it is a web page"
    if start[0] in "{[":
        return "it is JSON"
    if not text.startswith(("diff --git ", "--- ")):
        return "it does not begin as a diff does"
    return _fault_of_lines(text.removesuffix("\n").split("\n"))


def _fault_of_lines(lines: list[str]) -> str | None:
    """Return the first fault in the lines of a diff: every hunk must hold as many lines as its header says."""
    before = after = 0
    is_body = False
    for number, line in enumerate(lines, 1):
        if before > 0 or after > 0:
            before -= line.startswith((" ", "-")) or line == ""
            after -= line.startswith((" ", "+")) or line == ""
            if before < 0 or after < 0 or not (line == "" or line[0] in " +-\\"):
                return f"its line {number} does not belong to its hunk"
        elif found := _HUNK.match(line):
            before, after = (int(size or 1) for size in found.groups())
            is_body = False
        elif line.startswith("GIT binary patch"):
            is_body = True
        elif line.startswith("diff --git "):
            is_body = False
        elif line.startswith(_HEADERS):
            is_body = line.startswith("+++ ")
        elif not (is_body or line.startswith("\\ ")):
            return f"its line {number} does not belong to a diff"
    return "its end is missing" if before > 0 or after > 0 else None


def digest(text: str) -> str:
    """Return the SHA-256 of what a diff changes. Blob ids are left out: their abbreviation grows with a repository."""
    kept = [line for line in text.removesuffix("\n").split("\n") if not line.startswith("index ")]
    return hashlib.sha256("\n".join(kept).encode()).hexdigest()
