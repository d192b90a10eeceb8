"""Tables and switches that know some values only: a value that comes later and is not among them fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from detection.types import SymptomKind
from workers.diagnosis.changes.effects import Delay, Effect, EffectKind
from workers.diagnosis.changes.rules.consequences import Consequence, effect
from workers.diagnosis.changes.text.patches import Block, changed_lines

_UNKNOWN_VALUE = Consequence(
    frozenset(map(SymptomKind, ("errors", "crash", "client_errors", "results", "bad_data", "traffic_lost"))),
    frozenset(),
    Delay.AT_ONCE,
)
_INLINE = re.compile(r"\{[^{}]*:[^{}]*\}\s*\[\s*(?P<key>[A-Za-z_$][\w.$()]*)\s*\]")
_TABLE = re.compile(
    r"^\s*(?:(?:export|const|let|var|static|final|private|public|readonly|internal)\s+)*(?:[\w<>,\[\] ?]+\s+)?"
    r"(?P<name>[A-Za-z_$][\w$]*)\s*(?::[^={]+)?:?=\s*(?:new\s+[\w<>, ]+(?:\(\))?\s*)?"
    r"(?:map\[\w+\][\w.*\[\]()]+\s*)?\{(?P<rest>.*)$"
)
_LAST_RESORT = re.compile(
    r"\bdefault\s*(?::|->|=>)|^\s*else\b|\belse\s*[:{]|^\s*case\s+_\b|^\s*_\s*(?:=>|->)|\belse\s*->|\.get\([^)]*,|\?\?|"
    r"\|\|\s*[\w\"'{\[(]|getOrDefault|GetValueOrDefault|unwrap_or|\.fetch\([^)]*,|default=|setdefault|defaultdict"
)
_FAILS = re.compile(
    r"\b(?:raise|throw|panic!?|unreachable!?|bail!|todo!|unimplemented!|fatal(?:Error|f)?|abort)\b|"
    r"errors\.New\(|fmt\.Errorf\(|\bErr\(|\bsys\.exit|status\.Error"
)
_FAILED_BEFORE = re.compile(rf"{_FAILS.pattern}|\bassert\w*\b|[nN]ever\(|\bfail\w*\(|\b[eE]rror\(")
_SAYS_UNKNOWN = re.compile(
    r"unknown|unsupported|unexpected|invalid|not supported|no such|unhandled|unreachable|unrecogni[sz]ed", re.IGNORECASE
)
_CASE = re.compile(r"^\s*(?:case\b|when\b|elif\b|else if\b|\}\s*else if\b|[\"'][\w-]+[\"']\s*(?:=>|->))")


def lookup_effects(blocks: Sequence[Block]) -> list[Effect]:
    """Return the lookups and switches that newly fail for the values that they do not know."""
    return [found for block in blocks for found in (*_tables(block), *_switches(block))]


def _tables(block: Block) -> Iterator[Effect]:
    removed, added = changed_lines(block)
    if any(_FAILS.search(line) or _INLINE.search(line) for line in removed):
        return
    for line in added:
        key = _inline_key(line) or _key_of_known_table(line, block, added)
        if key is None or _LAST_RESORT.search(line) or _is_checked(key, block.new):
            continue
        silent = block.path.endswith((".go", ".js", ".ts", ".tsx", ".jsx", ".mjs", ".rb", ".php"))
        strength = (0.6 if not silent else 0.5) if removed else 0.3
        yield effect(
            EffectKind.UNCHECKED_VALUE,
            block.path,
            line,
            strength,
            name=key,
            beside=(block.heading, *added[:4]),
            consequence=_UNKNOWN_VALUE,
        )
        return


def _inline_key(line: str) -> str | None:
    match = _INLINE.search(line)
    return match["key"] if match else None


def _key_of_known_table(line: str, block: Block, added: Sequence[str]) -> str | None:
    """Return what a line looks up in a table of literals that the same commit writes."""
    for text in added:
        table = _TABLE.match(text)
        if table is None or not _holds_literals(text, table["rest"], block.new):
            continue
        used = re.search(rf"\b{re.escape(table['name'])}\[\s*(?P<key>[A-Za-z_$][\w.$()]*)\s*\](?!\s*=[^=])", line)
        if used and text != line:
            return used["key"]
    return None


def _holds_literals(line: str, rest: str, lines: Sequence[str]) -> bool:
    place = list(lines).index(line)
    body = rest if rest.strip() else "\n".join(lines[place + 1 : place + 4])
    return bool(re.search(r"^\s*[\"'{]?\s*[\"']?[\w.-]+[\"']?\s*(?::|,|=>)", body))


def _is_checked(key: str, lines: Sequence[str]) -> bool:
    last = re.escape(key.rpartition(".")[2])
    return any(
        re.search(
            rf"\b{last}\b\s*(?:not\s+)?in\b|(?:has|contains\w*|ContainsKey|TryGetValue|\.get|key\?)\(?[^)]*\b{last}\b",
            line,
        )
        for line in lines
    ) or any(re.search(r",\s*(?:ok|found|exists)\s*:?=|except KeyError|catch|\brescue\b", line) for line in lines)


def _switches(block: Block) -> Iterator[Effect]:
    """Find switches whose last resort was a value and is an error now."""
    removed, added = changed_lines(block)
    if not removed or any(_FAILED_BEFORE.search(line) for line in removed):
        return
    if not any(_CASE.search(line) or re.search(r"\b(?:switch|match|case)\b", line) for line in block.new):
        return
    for place, line in enumerate(block.new):
        if line not in added or not _FAILS.search(line):
            continue
        is_last = _LAST_RESORT.search(line) or any(
            _LAST_RESORT.search(text) for text in block.new[max(place - 1, 0) : place]
        )
        if is_last or _SAYS_UNKNOWN.search(line):
            yield effect(
                EffectKind.REFUSES_MORE,
                block.path,
                line,
                0.6,
                beside=(block.heading, *removed[:2]),
                consequence=_UNKNOWN_VALUE,
            )
            return
