"""Settings that a diff changes: a name with its old and its new value, whatever the language writes them in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import islice

from workers.diagnosis.changes.text.patches import Block, changed_lines
from workers.diagnosis.changes.text.quantities import Quantity, in_unit_of, quantities
from workers.diagnosis.changes.text.words import word_set, words_of

_KEY = re.compile(r"([A-Za-z_$@][\w.$/-]*)[\"'\]]*\s*(?::=|=>|:|=|\s)\s*[\"'(\[]?$")
_TYPED = re.compile(r"([A-Za-z_]\w*)\s*\??:\s*[A-Za-z][\w.\[\]| ]*=\s*[\"']?$")
_OPTION = re.compile(r"--([\w-]+)[\"']?\s*[,=\s]\s*[\"']?$")
_CALL = re.compile(r"([A-Za-z_][\w.:]*?)[!]?\s*(?:<[^<>]*>)?\(([^()]*|[^()]*\([^()]*\)[^()]*)$")
_ASSIGNED = re.compile(
    r"^\s*(?:-\s+)?(?:(?:export|const|let|var|static|final|public|private|protected|readonly|val|ENV|ARG|set)\s+)*"
    r"(?:[A-Z]\w*(?:<[^>]*>)?\s+)?[\"']?([A-Za-z_$][\w.$/-]*)[\"']?\s*(?::\s*\w+\s*=|:=|\?=|=>|=|:)\s*(.+?)[\s,;]*$"
)
_ARGUMENT = re.compile(r"\b([A-Za-z_]\w*)\s*=\s*(True|False|true|false|None|null|[\"'][^\"']*[\"'])")
_DIRECTIVE = re.compile(
    r"^\s*([a-z]+(?:[_-][a-z]+)+|listen|resolver|server|user|image|FROM|USER|CMD|ENTRYPOINT|EXPOSE)\s+(.+?)[;{\s]*$"
)
_CALLED_WITH = re.compile(
    r"([A-Za-z_]\w*)\(\s*(?:[\"']([\w.-]+)[\"']\s*,\s*)?(true|false|True|False|[\"'][^\"']*[\"'])\s*\)"
)
_PLAIN = re.compile(r"^(?:true|false|yes|no|on|off|none|null|nil|[\"'][^\"']*[\"']|[\w.:/@*${}-]+)$", re.IGNORECASE)
_VAGUE = frozenset({"value", "default", "val", "const", "return", "limit", "min", "max", "key"})
_NO_FUNCTIONS = word_set("return if for while and or in not switch await yield elif else when")
_ADDRESS = re.compile(
    r"\b\w+://[^\s\"')]+|(?<![{\w.-])[\w-]+(?:\.[\w-]+)+:\d+|\bv?\d+\.\d+\.\d+[\w.-]*|\b(?:0x|"
    r"#)[0-9a-fA-F]+\b"
)
_ACCESSORS = re.compile(r"\s*\{\s*(?:get|set|init)\b[^{}]*\}(?=\s*=)")
"""Those of a property, between its name and the value that it begins with."""

_MOST_PAIRS = 900
_MOST_CANDIDATES = 8
_ALIKE = 0.6
_SYNONYMS = {"conns": "connections", "conn": "connection", "maximum": "max", "minimum": "min", "sec": "seconds"}


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` as written; `owner`: the name above it that says what it belongs to, such as a YAML parent or a function.

    quantity: None if the value is no number; `value` as written. order: which of several of this name in the line.
    """

    name: str
    value: str
    quantity: Quantity | None
    line: str
    owner: str

    @property
    def key(self) -> str:
        """The name in a form in which spellings of one name are equal."""
        last = re.split(r"[.:/]+", self.name.strip("."))[-1]
        parts = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", last).lower().replace("-", "_").split("_")
        kept = [_SYNONYMS.get(part, part) for part in parts]
        while len(kept) > 1 and kept[-1] in (
            "ms",
            "millis",
            "s",
            "secs",
            "seconds",
            "minutes",
            "milliseconds",
            "mb",
            "kb",
        ):
            kept.pop()
        return "".join(kept)


@dataclass(frozen=True, slots=True)
class Changed:
    """A setting that was changed, removed (`new` is None) or added (`old` is None)."""

    path: str
    heading: str
    old: Setting | None
    new: Setting | None

    @property
    def shown(self) -> Setting:
        """The new setting, or the old one if it was removed."""
        found = self.new or self.old
        assert found is not None
        return found

    @property
    def ratio(self) -> float | None:
        """New / old in common units; None if they cannot be compared."""
        if self.old is None or self.new is None or self.old.quantity is None or self.new.quantity is None:
            return None
        before, unit = in_unit_of(self.old.name, self.old.quantity)
        after, other = in_unit_of(self.new.name, self.new.quantity)
        if before <= 0 or after < 0 or (unit != other and unit and other):
            return None
        if unit != other and "" in (unit, other) and self.old.name == self.new.name:
            return None
        return after / before

    @property
    def direction(self) -> int:
        """+1 raised, -1 lowered, 0 the same or not comparable."""
        ratio = self.ratio
        if ratio is not None:
            return (ratio > 1.000001) - (ratio < 0.999999)
        before = self.old.quantity if self.old else None
        after = self.new.quantity if self.new else None
        if before and after and before.unit == after.unit:
            return (after.value > before.value) - (after.value < before.value)
        return 0


@lru_cache(maxsize=512)
def changed_settings(block: Block) -> tuple[Changed, ...]:
    """Return the settings that differ between the removed and the added lines, then those only removed or added."""
    return tuple(_changed_settings(block))


def _changed_settings(block: Block) -> Iterator[Changed]:
    gone, come = changed_lines(block)
    old = [item for line in gone for item in settings_of(line, _owner(line, block.old, block.heading))]
    new = [item for line in come for item in settings_of(line, _owner(line, block.new, block.heading))]
    used: set[int] = set()
    left = []
    by_key: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(new):
        by_key[item.key].append(index)
    for item in old:
        free = [index for index in by_key[item.key] if index not in used]
        partner = _partner(item, free[:_MOST_CANDIDATES], new)
        if partner is None:
            left.append(item)
            continue
        used.add(partner)
        if item.quantity and not new[partner].quantity:
            used |= _given_a_name(item, new, used)
            continue
        if not is_equal(item, new[partner]):
            yield Changed(block.path, block.heading, item, new[partner])
    remaining = [item for index, item in enumerate(new) if index not in used]
    left, remaining = _without_equal_numbers(left, remaining)
    for item in left:
        similar = _renamed(item, remaining) if len(left) * len(remaining) <= _MOST_PAIRS else None
        if similar is not None:
            remaining.remove(similar)
            if not is_equal(item, similar):
                yield Changed(block.path, block.heading, item, similar)
        else:
            yield Changed(block.path, block.heading, item, None)
    for item in remaining:
        yield Changed(block.path, block.heading, None, item)


def _given_a_name(item: Setting, new: Sequence[Setting], used: set[int]) -> set[int]:
    """Return the place of the constant that now holds the number of `item`, if the change shows it."""
    places = (
        place for place, other in enumerate(new) if place not in used and other.quantity and is_equal(item, other)
    )
    return set(islice(places, 1))


def _without_equal_numbers(
    left: Sequence[Setting], remaining: Sequence[Setting]
) -> tuple[list[Setting], list[Setting]]:
    """Take out the numbers that are both removed and added under different names: a constant was given a name."""
    kept, others = [], list(remaining)
    for item in left:
        twin = next((other for other in others if item.quantity and other.quantity and is_equal(item, other)), None)
        if twin is None:
            kept.append(item)
        else:
            others.remove(twin)
    return kept, others


def _partner(item: Setting, candidates: Sequence[int], new: Sequence[Setting]) -> int | None:
    """Return the added setting of this name: an equal one if there is one, or else that of the most similar line."""
    if not candidates:
        return None
    of_owner = [index for index in candidates if new[index].owner == item.owner] or list(candidates)
    equal = [index for index in of_owner if is_equal(item, new[index])]
    if len(equal or of_owner) == 1:
        return (equal or of_owner)[0]
    return max(equal or of_owner, key=lambda index: (_shared_words(item.line, new[index].line), -index))


def _renamed(item: Setting, others: Sequence[Setting]) -> Setting | None:
    """Return an added setting on a line so alike that it is the same setting under another name."""
    scored = [
        (score, other)
        for other in others
        if (item.quantity is None) == (other.quantity is None)
        and (score := _likeness(item.line, other.line)) >= _ALIKE + 0.15
    ]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def _shared_words(one: str, other: str) -> int:
    return len(words_of(one) & words_of(other))


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one.strip()[:200], other.strip()[:200], autojunk=False).ratio()


def is_equal(old: Setting, new: Setting) -> bool:
    """Whether two settings have the same value, in whatever unit."""
    if old.quantity and new.quantity:
        before, after = in_unit_of(old.name, old.quantity), in_unit_of(new.name, new.quantity)
        if "" in (before[1], after[1]) and not old.quantity.unit and not new.quantity.unit:
            # A name that now says its unit, as in `timeout` and `timeoutMillis`, changes nothing.
            return old.quantity.value == new.quantity.value
        return before[1] == after[1] and abs(before[0] - after[0]) <= 1e-9 * max(abs(before[0]), 1e-9)
    return old.value.strip("\"' ") == new.value.strip("\"' ")


def settings_of(line: str, owner: str = "") -> list[Setting]:
    """Return the settings of one line: each number with the name that it is given to, and plain values assigned."""
    text = _ACCESSORS.sub("", re.sub(r"-X(mx|ms|ss)(?=\d)", r"-X\1=", line))
    found = []
    for quantity in quantities(_ADDRESS.sub(lambda match: "_" * len(match.group()), text)):
        name = _name_before(text[: quantity.start])
        if name:
            found.append(Setting(name, quantity.written, quantity, line, owner))
    if found:
        return [replace(item, name=owner) if item.key in _VAGUE and owner else item for item in found]
    for pattern in (_ASSIGNED, _DIRECTIVE):
        match = pattern.match(text)
        if match and (_PLAIN.match(match[2]) or pattern is _DIRECTIVE):
            name = owner if match[1].lower() in _VAGUE and owner else match[1]
            return [Setting(name, match[2].strip(), None, line, owner)]
    found = [Setting(match[1], match[2], None, line, owner) for match in _ARGUMENT.finditer(text)]
    return found or [
        Setting(match[2] or match[1], match[3], None, line, owner) for match in _CALLED_WITH.finditer(text)
    ]


def _name_before(text: str) -> str:
    """Return the name that the number behind `text` is given to: a key, a directive, or a called function."""
    if typed := _TYPED.search(text) or _OPTION.search(text):
        return typed[1]
    if key := _KEY.search(text):
        return key[1].strip("-/")
    if call := _CALL.search(text):
        return "" if call[1] in _NO_FUNCTIONS else call[1]
    compared = re.search(r"([A-Za-z_][\w.]*)\)?\s*[<>=!]=?\s*$", text)
    return compared[1] if compared else ""


def _owner(line: str, lines: Sequence[str], heading: str) -> str:
    """Return what the line belongs to: the nearest line above that is indented less, or a "name:" beside a "value:"."""
    try:
        position = lines.index(line)
    except ValueError:
        return heading
    depth = len(line) - len(line.lstrip())
    for above in reversed(lines[max(0, position - 12) : position]):
        named = re.match(r"\s*-?\s*(?:name|key)[\"']?:\s*[\"']?([\w.-]+)", above)
        if named and re.match(r"\s*-?\s*(?:value|default)\b", line):
            return named[1]
        if len(above) - len(above.lstrip()) < depth:
            opened = re.match(r"\s*-?\s*[\"']?([\w.$-]+)", above)
            return opened[1] if opened else heading
    return heading
