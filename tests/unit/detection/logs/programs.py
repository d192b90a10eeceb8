"""Invented programs of many kinds, whose lines come with the message that wrote each: an independent truth.

None of them is a public data set. `programs.txt` has the messages of each: texts with `{sorts}` of values, and each use
of a sort draws a new value.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from uuid import UUID

_PEOPLE = """
ana bo chen dmitri eve fatima george hana ivo jun katja liam mona nils olga pavel quinn rosa sven tara umar vera wim
xenia yara zoe alice bob carol dave
"""
PEOPLE = _PEOPLE.split()
SITES = ["api.example.net", "cdn.shop.example.org", "mail.example.com", "example.io", "a.b.example.net", "localhost"]
APPLICATIONS = ["curl.exe", "backup.exe", "Updater.exe", "sync.exe", "Notes", "agent64.exe", "mailer.exe *64"]
PODS = ["web-7d9f8c6b5-x2x7k", "worker-6b8d9c7f4-abcde", "cron-28934411-qqz9p", "db-0", "ingest-5f6c9-lmnop"]
STEPS = ["NEW", "QUEUED", "RUNNING", "COMMITTING", "SUCCEEDED", "KILLED"]
NODES = ["rack_A12", "rack_B7", "rack_C33", "rack_D1", "rack_LOGIN", "rack_E8"]


def _address(chance: random.Random) -> str:
    return ".".join(str(chance.randint(1, 254)) for _ in range(4))


def _size(chance: random.Random) -> str:
    """Return a size as such programs print it: what is larger than a kilobyte is repeated in brackets."""
    size = int(10 ** chance.uniform(0, 7))
    if size < 1024:
        return f"{size} bytes"
    return f"{size} bytes ({size / 1024:.1f} KB)" if size < 1024**2 else f"{size} bytes ({size / 1024**2:.2f} MB)"


SORTS: Mapping[str, Callable[[random.Random], str]] = {
    "n": lambda r: str(int(10 ** r.uniform(0, 6))),
    "small": lambda r: str(r.randint(0, 9)),
    "float": lambda r: f"{r.random() * 900:.{r.randint(1, 6)}f}",
    "signed": lambda r: str(r.randint(-900, 900)),
    "hex": lambda r: f"0x{r.getrandbits(48):x}",
    "uuid": lambda r: str(UUID(int=r.getrandbits(128))),
    "id": lambda r: f"{r.getrandbits(48):012x}",
    "ip": _address,
    "port": lambda r: str(r.randint(1024, 65535)),
    "person": lambda r: r.choice(PEOPLE),
    "site": lambda r: r.choice(SITES),
    "application": lambda r: r.choice(APPLICATIONS),
    "pod": lambda r: r.choice(PODS),
    "step": lambda r: r.choice(STEPS),
    "node": lambda r: r.choice(NODES),
    "size": _size,
    "life": lambda r: r.choice(["<1 sec", f"0{r.randint(0, 9)}:{r.randint(10, 59)}", "01:02:03"]),
    "path": lambda r: "/" + "/".join(r.choices(["var", "srv", "data", "tmp", "a1", "home"], k=r.randint(1, 4))),
    "date": lambda r: f"Mon Mar {r.randint(10, 28)} {r.randint(10, 23)}:{r.randint(10, 59)}:07 2026",
    "iso": lambda r: f"2026-03-{r.randint(10, 28)}T{r.randint(10, 23)}:{r.randint(10, 59)}:07.{r.randint(100, 999)}Z",
    "truth": lambda r: r.choice(["true", "false"]),
    "mac": lambda r: ":".join(f"{r.randint(0, 255):02x}" for _ in range(6)),
    "status": lambda r: r.choice(["200", "201", "204", "301", "404", "500"]),
    "list": lambda r: "[" + ", ".join(r.choice(PEOPLE) for _ in range(r.randint(1, 5))) + "]",
}
_SORT = re.compile(r"\{(" + "|".join(SORTS) + r")\}")


def _programs() -> dict[str, list[str]]:
    programs: dict[str, list[str]] = {}
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("# "):
            programs[line[2:]] = messages = []
        elif line:
            messages.append(line)
    return programs


PROGRAMS: Mapping[str, Sequence[str]] = _programs()
"""The messages of each program."""


def lines_of(program: str, *, count: int = 1500, seed: int = 0) -> tuple[list[str], list[str]]:
    """Return lines of a program and the message of each; its first messages are the most frequent."""
    chance = random.Random(f"{program} {seed}")
    messages = PROGRAMS[program]
    drawn = chance.choices(messages, weights=[1 / (1 + place) for place in range(len(messages))], k=count)
    return [_SORT.sub(lambda found: SORTS[found.group(1)](chance), message) for message in drawn], list(drawn)
