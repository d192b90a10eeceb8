"""Combinators that validate JSON and report problems as Slack does, with JSON pointers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Findings:
    """The problems found so far, and the context of the check: the ids already used, and which files exist."""

    file_exists: Callable[[str], bool]
    problems: list[str] = field(default_factory=list)
    action_ids: set[str] = field(default_factory=set)
    block_ids: set[str] = field(default_factory=set)

    def add(self, problem: str, pointer: str) -> None:
        """Record one problem at a JSON pointer."""
        self.problems.append(f"[ERROR] {problem} [json-pointer:{pointer}]")


Check = Callable[[object, str, Findings], None]


def string(maximum: int, minimum: int = 1) -> Check:
    """Check for a string of `minimum` to `maximum` characters."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if not isinstance(value, str):
            findings.add("must be a string", pointer)
        elif len(value) > maximum:
            findings.add(f"must be less than {maximum + 1} characters", pointer)
        elif len(value) < minimum:
            findings.add(f"must be more than {minimum - 1} characters", pointer)

    return check


def boolean(value: object, pointer: str, findings: Findings) -> None:
    """Check for a boolean."""
    if not isinstance(value, bool):
        findings.add("must be a boolean", pointer)


def number(value: object, pointer: str, findings: Findings) -> None:
    """Check for an integer."""
    if not isinstance(value, int) or isinstance(value, bool):
        findings.add("must be an integer", pointer)


def anything(value: object, pointer: str, findings: Findings) -> None:
    """Accept any value."""


def one_of(*allowed: str) -> Check:
    """Check for one of the allowed strings."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if value not in allowed:
            findings.add(f"must be one of: {', '.join(allowed)}", pointer)

    return check


def array(item: Check, maximum: int, minimum: int = 1) -> Check:
    """Check for a list of `minimum` to `maximum` items that all pass `item`."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if not isinstance(value, list):
            findings.add("must be an array", pointer)
            return
        if len(value) > maximum:
            findings.add(f"no more than {maximum} items allowed", pointer)
        if len(value) < minimum:
            findings.add(f"no fewer than {minimum} items required", pointer)
        for index, entry in enumerate(value):
            item(entry, f"{pointer}/{index}", findings)

    return check


def shape(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Check for an object with these properties and no others."""
    known = {**required, **(optional or {})}

    def check(value: object, pointer: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.add("must be an object", pointer)
            return
        for name in required:
            if value.get(name) is None:
                findings.add(f"missing required field: {name}", pointer)
        for name, entry in value.items():
            if name not in known:
                findings.add(f"invalid additional property: {name}", pointer)
            elif entry is not None:
                known[name](entry, f"{pointer}/{name}", findings)

    return check


def tagged(checks: Mapping[str, Check]) -> Check:
    """Check for an object whose `type` selects the check to apply."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.add("must be an object", pointer)
        elif value.get("type") not in checks:
            findings.add(f"unsupported type: {value.get('type')}", f"{pointer}/type")
        else:
            checks[value["type"]](value, pointer, findings)

    return check


def all_of(*checks: Check) -> Check:
    """Apply several checks."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        for each in checks:
            each(value, pointer, findings)

    return check


def plain_text(maximum: int) -> Check:
    """Check for a plain_text object."""
    return shape({"type": one_of("plain_text"), "text": string(maximum)}, {"emoji": boolean})


def any_text(maximum: int) -> Check:
    """Check for a text object: plain_text or mrkdwn."""
    marked = shape({"type": one_of("mrkdwn"), "text": string(maximum)}, {"verbatim": boolean})
    return tagged({"plain_text": plain_text(maximum), "mrkdwn": marked})


def at_least_one(names: Sequence[str]) -> Check:
    """Check for an object with at least one of these properties."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            findings.add(f"must define either {' or '.join(names)}", pointer)

    return check
