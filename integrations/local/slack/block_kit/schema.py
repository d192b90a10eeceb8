"""A few combinators that check JSON and say what is wrong as Slack does, with a JSON pointer to the place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(slots=True)
class Findings:
    """What a check found and what it must remember on the way: ids that may be used once, files that exist."""

    file_exists: Callable[[str], bool]
    problems: list[str] = field(default_factory=list)
    action_ids: set[str] = field(default_factory=set)
    block_ids: set[str] = field(default_factory=set)

    def add(self, problem: str, pointer: str) -> None:
        """Record one problem at one place."""
        self.problems.append(f"[ERROR] {problem} [json-pointer:{pointer}]")


Check = Callable[[object, str, Findings], None]


def string(maximum: int, minimum: int = 1) -> Check:
    """A string of so many characters."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if not isinstance(value, str):
            findings.add("must be a string", pointer)
        elif len(value) > maximum:
            findings.add(f"must be less than {maximum + 1} characters", pointer)
        elif len(value) < minimum:
            findings.add(f"must be more than {minimum - 1} characters", pointer)

    return check


def boolean(value: object, pointer: str, findings: Findings) -> None:
    """True or false."""
    if not isinstance(value, bool):
        findings.add("must be a boolean", pointer)


def number(value: object, pointer: str, findings: Findings) -> None:
    """A whole number."""
    if not isinstance(value, int) or isinstance(value, bool):
        findings.add("must be an integer", pointer)


def anything(value: object, pointer: str, findings: Findings) -> None:
    """Whatever is there."""


def one_of(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if value not in allowed:
            findings.add(f"must be one of: {', '.join(allowed)}", pointer)

    return check


def array(item: Check, maximum: int, minimum: int = 1) -> Check:
    """A list of so many items, each of which passes `item`."""

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
    """An object with these properties and no others."""
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
    """An object whose `type` chooses the check."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if not isinstance(value, dict):
            findings.add("must be an object", pointer)
        elif value.get("type") not in checks:
            findings.add(f"unsupported type: {value.get('type')}", f"{pointer}/type")
        else:
            checks[value["type"]](value, pointer, findings)

    return check


def every(*checks: Check) -> Check:
    """All of several checks."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        for each in checks:
            each(value, pointer, findings)

    return check


def plain_text(maximum: int) -> Check:
    """A text object that is shown as it stands."""
    return shape({"type": one_of("plain_text"), "text": string(maximum)}, {"emoji": boolean})


def any_text(maximum: int) -> Check:
    """A text object of either kind."""
    marked = shape({"type": one_of("mrkdwn"), "text": string(maximum)}, {"verbatim": boolean})
    return tagged({"plain_text": plain_text(maximum), "mrkdwn": marked})


def at_least_one(names: Sequence[str]) -> Check:
    """An object that has one of these properties or more."""

    def check(value: object, pointer: str, findings: Findings) -> None:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            findings.add(f"must define either {' or '.join(names)}", pointer)

    return check
