"""Look up fields by dotted names, whether the sender wrote them flat, nested, or half and half."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache


class Fields:
    """The fields of one record, with a quick answer for names that it cannot have."""

    def __init__(self, found: Mapping[str, object]) -> None:
        self._found = found
        self._heads = {name.partition(".")[0] for name in found}

    def has_any(self, names: tuple[str, ...]) -> bool:
        """Whether the record may have one of these fields."""
        return not self._heads.isdisjoint(_heads(names))

    def text(self, *names: str) -> str | None:
        """Return the first of these fields that is a text with something in it, without blanks around it."""
        if not self.has_any(names):
            return None
        for name in names:
            if _head(name) in self._heads:
                value = value_at(self._found, name)
                if isinstance(value, str) and (stripped := value.strip()):
                    return stripped
        return None

    def mapping(self, name: str) -> Mapping[str, object]:
        """Return the object of this name, or an empty one."""
        value = value_at(self._found, name) if _head(name) in self._heads else None
        return value if isinstance(value, Mapping) else {}


def value_at(found: Mapping[str, object], name: str) -> object:
    """Return the value of a dotted name: `kubernetes.labels.app` may lie under one, two or three keys."""
    if name in found:
        return found[name]
    place = name.find(".")
    while place > 0:
        inner = found.get(name[:place])
        if isinstance(inner, Mapping):
            value = value_at(inner, name[place + 1 :])
            if value is not None:
                return value
        place = name.find(".", place + 1)
    return None


@lru_cache(maxsize=4096)
def _head(name: str) -> str:
    return name.partition(".")[0]


@lru_cache(maxsize=1024)
def _heads(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(_head, names))
