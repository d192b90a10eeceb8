"""Mark an answer against the `truth.json` beside the incident, for a team that tries Argux on its last outages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.investigate.answer import Investigation
from bot.investigate.reading.documents import json_of
from bot.investigate.reading.fields import text
from bot.investigate.reading.problems import Problems
from workers.diagnosis.causes.candidates import same_sha


@dataclass(frozen=True, slots=True)
class Marks:
    """What of an answer is right; None where the truth does not say."""

    commit: bool | None = None
    origin: bool | None = None
    pages: bool | None = None

    @property
    def passed(self) -> bool:
        """Whether everything that the truth says is answered right."""
        return all(mark for mark in (self.commit, self.origin, self.pages) if mark is not None)

    def line(self) -> str:
        """Return such as "commit right, origin wrong"."""
        named = (("commit", self.commit), ("origin", self.origin), ("pages", self.pages))
        return ", ".join(f"{name} {'right' if mark else 'wrong'}" for name, mark in named if mark is not None)


def marks_of(folder: Path, answer: Investigation, problems: Problems | None = None) -> Marks | None:
    """Return the marks; None without a readable truth.json that says anything of what was asked.

    problems: where to note what of the truth cannot be read.
    """
    path = folder / "truth.json"
    truth = json_of(path, problems or Problems()) if path.exists() else None
    if not isinstance(truth, dict):
        return None
    marks = Marks(_commit(truth, answer), _origin(truth, answer), _pages(truth, answer))
    return marks if any(mark is not None for mark in (marks.commit, marks.origin, marks.pages)) else None


def _commit(truth: Mapping[str, object], answer: Investigation) -> bool | None:
    true = text(truth, "root_cause_commit")
    if true is None:
        return None
    said = answer.root_cause_commit or ""
    if "none" in (true, said):
        return true == said
    return same_sha(true.lower(), said)


def _origin(truth: Mapping[str, object], answer: Investigation) -> bool | None:
    true = text(truth, "origin_service")
    if true is None:
        return None
    aliases = truth.get("accept_origin_aliases")
    names = {true, *(str(alias) for alias in aliases)} if isinstance(aliases, list) else {true}
    return (answer.origin_service or "").lower() in {name.lower() for name in names}


def _pages(truth: Mapping[str, object], answer: Investigation) -> bool | None:
    labels = truth.get("labels")
    if not isinstance(labels, dict) or not answer.decisions:
        return None
    return all(answer.decisions.get(page) == label for page, label in labels.items())
