"""Find settings that have no effect as they are written: misspelt names, unknown names, and names that stand twice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from dotenv.parser import parse_stream

from workers.settings import Settings

ENV_FILE = Path(".env")

OTHER_NAMES = frozenset({"ARGUX_KEY"})
"""Names that the command line reads beside the settings."""

_LIKE_IN_FILE = 0.72
_LIKE_IN_ENVIRONMENT = 0.82
"""The environment belongs to every program, so a name there must be closer to one of ours to count as misspelt."""


@dataclass(frozen=True, slots=True)
class NameFault:
    """A setting that has no effect. is_certain: it is meant for Argux; otherwise it may be another program's."""

    text: str
    is_certain: bool = True


def known_names() -> frozenset[str]:
    """Return the names of all settings, in capitals."""
    return frozenset(name.upper() for name in Settings.model_fields)


def name_faults(env_file: Path = ENV_FILE, environment: Mapping[str, str] = os.environ) -> list[NameFault]:
    """Return what is wrong with the names in `.env` and in the environment, those in the file first."""
    in_file = _names_in(env_file)
    in_environment = {name.upper() for name, value in environment.items() if value}
    faults = [*_unknown_in_file(env_file, dict.fromkeys(in_file)), *_twice_in_file(env_file, in_file)]
    return [*faults, *_misspelt_in_environment(in_environment)]


def _names_in(env_file: Path) -> list[str]:
    """Return the names that the file sets, in order, with repetitions."""
    if not env_file.is_file():
        return []
    with env_file.open(encoding="utf-8", errors="replace") as stream:
        return [binding.key for binding in parse_stream(stream) if binding.key and binding.value is not None]


def _unknown_in_file(env_file: Path, names: Iterable[str]) -> list[NameFault]:
    faults = []
    for name in names:
        if name.upper() in known_names() | OTHER_NAMES:
            continue
        # The right name may stand there too, as it does where .env is a copy of .env.example.
        meant = _meant(name, _LIKE_IN_FILE, known_names())
        if meant is not None:
            faults.append(NameFault(f"{name} in {env_file} is no setting: did you mean {meant}?"))
        else:
            text = f"{name} in {env_file} is no setting of Argux, and has no effect; .env.example lists all of them"
            faults.append(NameFault(text, is_certain=False))
    return faults


def _twice_in_file(env_file: Path, names: Iterable[str]) -> list[NameFault]:
    counted = Counter(name.upper() for name in names)
    return [
        NameFault(f"{name} stands {count} times in {env_file}: only the last counts; remove the others")
        for name, count in counted.items()
        if count > 1 and name in known_names()
    ]


def _misspelt_in_environment(names: Set[str]) -> list[NameFault]:
    # A name beside the setting that it is like is another program's: REDIS_URI beside REDIS_URL.
    found = ((name, _meant(name, _LIKE_IN_ENVIRONMENT, known_names() - names)) for name in sorted(names))
    return [
        NameFault(f"{name} in the environment is no setting: did you mean {meant}?")
        for name, meant in found
        if meant is not None
    ]


def _meant(name: str, likeness: float, candidates: Set[str]) -> str | None:
    """Return the one of the candidates that `name` is close to; None if there is none, or it is a setting itself."""
    wanted = name.upper()
    if wanted in known_names() | OTHER_NAMES:
        return None
    wanted = wanted.replace("-", "_")
    for likely in (wanted, wanted.removeprefix("ARGUX_")):
        if likely in candidates:
            return likely
    close = get_close_matches(wanted, sorted(candidates), n=1, cutoff=likeness)
    return close[0] if close else None
