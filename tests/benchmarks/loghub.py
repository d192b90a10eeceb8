"""Log template mining on Loghub-2k: grouping accuracy and lines per second, beside drain3 with generic masks.

The lines go through the log reader of the workers. Its rules are judged by leaving one out: for each system those are
taken that group the other systems best (`tests.benchmarks.loghub_rules`).
"""

from __future__ import annotations

import csv
import logging
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean

from detection.logs.miner import TemplateMiner
from detection.logs.slots import Rules
from storage.telemetry.logs.reader_protocol import KeptTemplates
from tests.benchmarks.figures import Figure, NothingToMeasureError
from tests.benchmarks.loghub_rules import rules_left_one_out
from tests.benchmarks.reading import read_or_skipped
from workers.memory.log_reader import TemplateLogReader

ACCURACY, WORST, FIRST, SPEED = "loghub_ga", "loghub_ga_worst", "loghub_ga_first", "loghub_lines_per_s"
AT_LEAST_ACCURACY = 0.92
AT_LEAST_WORST = 0.80
AT_LEAST_FIRST = 0.88
AT_LEAST_TIMES_PEER = 5.0
ROUNDS = 7

Miner = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class System:
    """The messages of one system and the true template of each."""

    name: str
    lines: list[str]
    truth: list[str]


@dataclass(frozen=True)
class Measured:
    """The grouping accuracy of a miner on each system, and its lines per second of CPU time on one core."""

    accuracy: list[float]
    lines_per_second: float


def run(data: Path) -> Iterator[Figure]:
    """Yield the figures for the systems found under `loghub_2k`; each is mined from an empty state.

    Raises NothingToMeasureError.
    """
    systems = read_systems(data / "loghub_2k")
    if not systems:
        folder = data / "loghub_2k"
        raise NothingToMeasureError(f"there is no SYSTEM/*_structured_corrected.csv with lines under {folder}")
    peer_miner = _drain3()
    miners = [read_at_once] if peer_miner is None else [read_at_once, peer_miner]
    measured = _measured(miners, systems)
    own, peer = measured[0], measured[1] if peer_miner else None
    name = "drain3, generic masks" if peer else None
    if peer is None:
        print("loghub: drain3 is not installed, so there is no peer; `make bench` installs it", file=sys.stderr)
    left_out, first = _left_one_out(systems), [_as_they_arrive(system) for system in systems]
    _tell(systems, own, peer, left_out, first)
    mean_of_peer, worst_of_peer = (fmean(peer.accuracy), min(peer.accuracy)) if peer else (None, None)
    yield Figure(ACCURACY, fmean(left_out), "share", name, mean_of_peer, at_least=AT_LEAST_ACCURACY)
    yield Figure(WORST, min(left_out), "share", name, worst_of_peer, at_least=AT_LEAST_WORST)
    at_end = fmean(end for _, end in first)
    yield Figure(FIRST, fmean(one for one, _ in first), "share", "at the end", at_end, at_least=AT_LEAST_FIRST)
    yield Figure(
        SPEED,
        own.lines_per_second,
        "lines/s",
        name,
        peer.lines_per_second if peer else None,
        at_least=AT_LEAST_TIMES_PEER * peer.lines_per_second if peer else None,
    )


def _left_one_out(systems: Sequence[System]) -> list[float]:
    """Return the accuracy on each system by the rules that the others would choose."""
    judges = [partial(_judged, system) for system in systems]
    return [judge(rules) for judge, rules in zip(judges, rules_left_one_out(judges), strict=True)]


def _judged(system: System, rules: Rules) -> float:
    return grouping_accuracy(TemplateMiner(rules=rules).learn(system.lines), system.truth)


def _as_they_arrive(system: System) -> tuple[float, float]:
    """Return the accuracy of the ids given to lines that come one by one, and of what these ids have become."""
    reader, version = TemplateLogReader(), None
    ids: list[str] = []
    for line in system.lines:
        reading = reader.read(system.name, [line], KeptTemplates(version, bytes))
        version = reading.learnt.version if reading.learnt else version
        ids += reading.template_ids
    return grouping_accuracy(ids, system.truth), grouping_accuracy(list(map(reading.resolve, ids)), system.truth)


def _tell(
    systems: Sequence[System],
    own: Measured,
    peer: Measured | None,
    left_out: Sequence[float],
    first: Sequence[tuple[float, float]],
) -> None:
    print("loghub: system, left out, as shipped, ids at first, ids at the end, drain3", file=sys.stderr)
    others = peer.accuracy if peer else [float("nan")] * len(systems)
    rows = zip(systems, left_out, own.accuracy, first, others, strict=True)
    for system, out, shipped, (begun, ended), other in rows:
        print(f"loghub: {system.name:12} {out:.3f} {shipped:.3f} {begun:.3f} {ended:.3f} {other:.3f}", file=sys.stderr)


def read_systems(folder: Path) -> list[System]:
    """Read every system with corrected labels, in order of name."""
    paths = sorted(folder.glob("*/*_structured_corrected.csv"))
    systems = [read_or_skipped("loghub", path.name, partial(_read_system, path)) for path in paths]
    return [system for system in systems if system is not None and system.lines]


def _read_system(path: Path) -> System:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    lines, truth = [row["Content"] for row in rows], [row["EventTemplate"] for row in rows]
    if None in lines or None in truth:
        raise ValueError("a row is cut short")
    return System(path.parent.name, lines, truth)


def grouping_accuracy(predicted: Sequence[str], truth: Sequence[str]) -> float:
    """Return the share of lines whose predicted group equals a true group exactly."""
    true_groups = set(_groups(truth))
    return sum(len(group) for group in _groups(predicted) if group in true_groups) / len(truth)


def _groups(labels: Sequence[str]) -> list[frozenset[int]]:
    members: defaultdict[str, set[int]] = defaultdict(set)
    for index, label in enumerate(labels):
        members[label].add(index)
    return [frozenset(group) for group in members.values()]


def _measured(miners: Sequence[Miner], systems: Sequence[System]) -> list[Measured]:
    """Measure the miners in turns, so that other load affects all of them; use the fastest round."""
    seconds = [[0.0] * ROUNDS for _ in miners]
    accuracy: list[list[float]] = [[] for _ in miners]
    for round_number in range(ROUNDS):
        for system in systems:
            for index, miner in enumerate(miners):
                began = time.process_time()
                predicted = miner(system.lines)
                seconds[index][round_number] += time.process_time() - began
                if round_number == 0:
                    accuracy[index].append(grouping_accuracy(predicted, system.truth))
    lines = sum(len(system.lines) for system in systems)
    return [Measured(accuracy[index], lines / min(seconds[index])) for index in range(len(miners))]


def read_at_once(lines: Sequence[str]) -> list[str]:
    """Return the template ids of lines that are counted in one pass of the roll-up, as a worker counts them."""
    return list(TemplateLogReader().read("", lines, KeptTemplates(None, bytes)).template_ids)


def _drain3() -> Miner | None:
    """Return drain3 with the masks of its documentation, none of them specific to one system; None if not installed."""
    try:
        from drain3 import TemplateMiner as Drain
        from drain3.masking import MaskingInstruction
        from drain3.template_miner_config import TemplateMinerConfig
    except ImportError:
        return None
    logging.getLogger("drain3").setLevel(logging.ERROR)
    begin, end = r"((?<=[^A-Za-z0-9])|^)", r"((?=[^A-Za-z0-9])|$)"
    masks = {
        "ID": r"(([0-9a-f]{2,}:){3,}([0-9a-f]{2,}))",
        "IP": r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})",
        "SEQ": r"([0-9a-f]{6,} ?){3,}",
        "HEX": r"(0x[a-f0-9A-F]+)",
        "NUM": r"([\-\+]?\d+)",
    }

    def mine(lines: Sequence[str]) -> list[str]:
        config = TemplateMinerConfig()
        config.masking_instructions = [MaskingInstruction(begin + mask + end, name) for name, mask in masks.items()]
        miner = Drain(config=config)
        return [str(miner.add_log_message(line)["cluster_id"]) for line in lines]

    return mine
