"""Answers about a cause, and whether they turned out to be right."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """An answer that was found right or wrong. cause: its kind, such as "deploy" or "third_party".

    raw: the confidence that the evidence alone gave, 0 to 1. stated: the one that people were told; None if nobody was.
    """

    cause: str
    raw: float
    is_right: bool
    stated: float | None = None
