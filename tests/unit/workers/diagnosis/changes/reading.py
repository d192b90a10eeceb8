"""Shared by the tests of this folder: a commit with one diff, read."""

from __future__ import annotations

from textwrap import dedent

from detection.types import ChangedFile, Commit
from workers.diagnosis.changes import ChangeReading, EffectKind, read_change


def commit_of(path: str, diff: str, message: str = "update", *more: tuple[str, str]) -> Commit:
    files = ((path, diff), *more)
    return Commit(
        sha="c0ffee",
        parent_sha=None,
        author="ann",
        committed_at=0.0,
        message=message,
        url="",
        files=tuple(ChangedFile(name, "modified", 1, 1, dedent(text).strip("\n")) for name, text in files),
    )


def read(path: str, diff: str, message: str = "update", *more: tuple[str, str]) -> ChangeReading:
    return read_change(commit_of(path, diff, message, *more))


def strength_of(reading: ChangeReading, kind: EffectKind) -> float:
    return max((effect.strength for effect in reading.effects if effect.kind is kind), default=0.0)


def strongest(reading: ChangeReading) -> float:
    return max((effect.strength for effect in reading.effects), default=0.0)
