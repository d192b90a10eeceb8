"""Read a commit: what it does, judged from its diff, or from its message where there is no diff."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from detection.types import Commit
from workers.diagnosis.changes.effects import ChangeReading, Effect, EffectKind
from workers.diagnosis.changes.paths import is_configuration, why_not_running
from workers.diagnosis.changes.rules.additions import added_effects
from workers.diagnosis.changes.rules.calls import call_effects
from workers.diagnosis.changes.rules.consequences import effect
from workers.diagnosis.changes.rules.consumers import consumer_effects
from workers.diagnosis.changes.rules.data.fields import field_effects
from workers.diagnosis.changes.rules.data.lookups import lookup_effects
from workers.diagnosis.changes.rules.data.migrations import adds_only_indexes, migration_effects
from workers.diagnosis.changes.rules.data.queries import query_effects
from workers.diagnosis.changes.rules.data.rows import row_effects
from workers.diagnosis.changes.rules.growth import growth_effects
from workers.diagnosis.changes.rules.idioms import idiom_effects
from workers.diagnosis.changes.rules.inert import changes_only_sentences, is_telemetry, only_renames, why_inert
from workers.diagnosis.changes.rules.locks import lock_effects
from workers.diagnosis.changes.rules.messages import is_said_to_be_harmless, message_effects
from workers.diagnosis.changes.rules.removals import removed_effects
from workers.diagnosis.changes.rules.settings.knobs import setting_effects
from workers.diagnosis.changes.rules.settings.values import value_effects
from workers.diagnosis.changes.rules.settings.versions import is_about_versions, is_lock_file, version_effects
from workers.diagnosis.changes.rules.waits import wait_effects
from workers.diagnosis.changes.text.patches import Block, blocks_of, changed_lines

_MOST_EFFECTS = 20
_MOST_BLOCKS = 300
_WEAK = 0.2
"""An effect that is no stronger does not keep a rewrite of the same code from being inert."""

_UNREAD_FILE = 0.6
"""How much of what the message says counts, for the files of a commit whose other files were read."""


def read_change(commit: Commit) -> ChangeReading:
    """Return what a commit can do, strongest effect first, and whether it explains no incident at all."""
    paths = tuple(file.path for file in commit.files)
    running = [file for file in commit.files if not why_not_running(file.path)]
    if paths and not running:
        # What its files are is all there is to know.
        return ChangeReading((), True, _only_files(paths), paths, True)
    blocks = [block for block in blocks_of(commit.files) if not why_not_running(block.path)][:_MOST_BLOCKS]
    if not blocks:
        return _from_message(commit, paths)
    effects = _effects(blocks)
    unread = [file.path for file in running if not file.patch and not is_lock_file(file.path)]
    unread = [path for path in unread if not any(block.path == path for block in blocks)]
    return _judged(commit, blocks, effects, unread, paths)


def _only_files(paths: Sequence[str]) -> str:
    """Say what kinds of file a commit changes that change nothing that runs."""
    kinds = sorted({why_not_running(path) for path in paths})
    return f"only changes {' and '.join(kinds) if len(kinds) < 3 else ', '.join(kinds)}"


def _effects(blocks: Sequence[Block]) -> list[Effect]:
    code = [block for block in blocks if not is_about_versions(block.path)]
    found = [item for block in blocks for item in version_effects(block)]
    for block in code:
        found += value_effects(block)
    for rule in (
        setting_effects,
        call_effects,
        row_effects,
        wait_effects,
        added_effects,
        growth_effects,
        consumer_effects,
        lookup_effects,
        lock_effects,
        removed_effects,
        query_effects,
        idiom_effects,
        migration_effects,
        field_effects,
    ):
        found += rule(code)
    return _distinct(item for item in found if not is_telemetry(item.line) or item.kind in _ALSO_IN_LOGGING)


_ALSO_IN_LOGGING = frozenset({EffectKind.LOG_LEVEL, EffectKind.SECRET, EffectKind.CALL_ADDED, EffectKind.BUFFER_GROWS})


def _distinct(found: Iterable[Effect]) -> list[Effect]:
    """Keep the strongest effect of each kind and line."""
    best: dict[tuple[EffectKind, str, str], Effect] = {}
    for item in found:
        key = (item.kind, item.path, item.line)
        if key not in best or best[key].strength < item.strength:
            best[key] = item
    return list(best.values())


def _judged(
    commit: Commit, blocks: Sequence[Block], effects: list[Effect], unread: Sequence[str], paths: tuple[str, ...]
) -> ChangeReading:
    """Put the effects together with what the rest of the diff shows."""
    strongest = max((item.strength for item in effects), default=0.0)
    because = ""
    if strongest <= _WEAK:
        because = why_inert(blocks) or ("only gives something another name" if only_renames(blocks) else "")
    if not because and changes_only_sentences(blocks):
        because = "only changes sentences that people read"
    if not because and adds_only_indexes(blocks):
        because = "only adds an index or a table, without a lock"
    if because and unread and not is_said_to_be_harmless(commit.message):
        because = ""
    if because:
        return ChangeReading((), True, because, paths, True)
    if unread:
        known = {item.kind for item in effects}
        said = [item for item in message_effects(commit.message, unread) if item.kind not in known]
        effects = [*effects, *(_weaker(item, _UNREAD_FILE) for item in said)]
    effects = [*effects, *_other_logic(commit, blocks, strongest)]
    return ChangeReading(
        tuple(sorted(effects, key=lambda item: -item.strength)[:_MOST_EFFECTS]), False, "", paths, True
    )


def _other_logic(commit: Commit, blocks: Sequence[Block], strongest: float) -> Iterator[Effect]:
    """Yield a weak effect for code that computes something else in a way that no rule knows."""
    if strongest > _NEEDS_NO_OTHER:
        return
    for block in blocks:
        removed, added = changed_lines(block)
        if not removed and not added:
            removed = block.removed
        lines = [line for line in (*added, *removed) if not is_telemetry(line)]
        lines = [line for line in lines if not _BASE.match(line)]
        if not lines or is_about_versions(block.path) or (strongest and is_configuration(block.path)):
            continue
        if removed:
            strength = 0.1 if is_said_to_be_harmless(commit.message) else 0.2
        elif all(_MENDS.search(line) or _LEAVES.match(line) for line in added):
            strength = 0.05
        else:
            strength = 0.15 if any(sign == " " for sign, _ in block.lines) else 0.1
        yield effect(EffectKind.LOGIC, block.path, lines[0], strength, beside=(block.heading, *lines[:6]))
        return


_NEEDS_NO_OTHER = 0.25
_BASE = re.compile(r"^\s*FROM\s+\S+[:@]\S+(?:\s+AS\s+\S+)?\s*$")
"""The image that a Dockerfile builds on: a rule of its own knows what another one can do."""

_MENDS = re.compile(
    r"^\s*(?:if\b|unless\b|guard\b|defer\b.*[Cc]lose|finally|with\b|try\b)|\.[Cc]lose\(|"
    r"\bcancel\(\)|\?\?|orElse|\bis None\b"
)
_LEAVES = re.compile(
    r"^\s*(?:return\b.{0,60}|continue|break|raise\b.*|throw\b.*|\}.*|"
    r"\w+\s*:?=\s*(?:len\([\w.]+\)|0|nil|None|null|\[\]|\{\}|&?\w+\{\});?)$"
)


def _from_message(commit: Commit, paths: tuple[str, ...]) -> ChangeReading:
    """Read a commit without a diff: what its author says, and what the names of its files say."""
    harmless = is_said_to_be_harmless(commit.message)
    running = [path for path in paths if not why_not_running(path)]
    effects = message_effects(commit.message, running)
    if all(is_lock_file(path) or is_about_versions(path) for path in running) and running:
        line = commit.message.split("\n")[0]
        effects = [item for item in effects if item.kind is EffectKind.DEPENDENCY]
        return ChangeReading(
            tuple(effects) or (effect(EffectKind.DEPENDENCY, running[0], line, 0.15),), False, "", paths, False
        )
    if harmless:
        strong = [_weaker(item, 0.5) for item in effects if item.strength >= 0.5]
        if not strong:
            return ChangeReading((), True, "by its message only tidies, tests, measures or documents", paths, False)
        effects = strong
    if not effects and commit.message.strip():
        effects = [
            effect(
                EffectKind.LOGIC,
                running[0] if running else "",
                commit.message.split("\n")[0],
                0.15,
                beside=(commit.message,),
            )
        ]
    return ChangeReading(tuple(effects[:_MOST_EFFECTS]), False, "", paths, False)


def _weaker(item: Effect, share: float) -> Effect:
    return replace(item, strength=round(item.strength * share, 2))
