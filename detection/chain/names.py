"""One name for each part: "pg:orders-db" in the metrics and "orders-db" on the map are one database."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from detection.symptoms import named_in

_PREFIX = re.compile(r"^[a-z0-9_+-]{1,20}[:/]+")
_CLUSTER = re.compile(r"\.(?:[a-z0-9-]+\.)?svc(?:\.cluster\.local)?$")


@dataclass(frozen=True, slots=True)
class Names:
    """The name that is shown for every spelling of a part."""

    shown: dict[str, str]

    @staticmethod
    def of(first: Iterable[str], others: Iterable[str] = ()) -> Names:
        """Learn the names: those of the telemetry (`first`) are shown; the spellings of the map follow them."""
        shown: dict[str, str] = {}
        for name in (*first, *others):
            shown.setdefault(plain_name(name), name)
        return Names(shown)

    def __call__(self, name: str) -> str:
        """Return the shown name."""
        return self.shown.get(plain_name(name), name)


def plain_name(name: str) -> str:
    """Return a name without what says only of which sort it is: "pg:", "deploy/", ".ns.svc.cluster.local"."""
    return _CLUSTER.sub("", _PREFIX.sub("", name.strip().lower()))


def parts_named_in(text: str, parts: Iterable[str]) -> frozenset[str]:
    """Return which parts a text names, by any spelling: "orders-db" names "pg:orders-db"."""
    plain = {plain_name(part): part for part in parts}
    return frozenset(plain[name] for name in named_in(text, plain))
