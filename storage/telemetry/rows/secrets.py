"""Hide the secrets that stand in a text, whatever their form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.telemetry.rows.secret_forms import FORMS, Form, forms_in
from storage.telemetry.rows.secret_names import NAME_MARKS, without_named_secrets


@dataclass(frozen=True, slots=True)
class Suspected:
    """What a text, or some texts together, may hold: most hold nothing, which is found out at once for all of them."""

    forms: Sequence[Form] = FORMS
    names: bool = True

    def __bool__(self) -> bool:
        return self.names or bool(self.forms)


EVERYTHING = Suspected()


def suspected_in(texts: Iterable[str]) -> Suspected:
    """Return what these texts may hold."""
    together = "\n".join(texts).lower()
    return Suspected(forms_in(together), any(mark in together for mark in NAME_MARKS))


def without_secrets(text: str, suspected: Suspected = EVERYTHING) -> str:
    """Return the text with the secrets in it hidden."""
    if not suspected:
        return text
    lower = _lower(text)
    for form in suspected.forms:
        if any(mark in lower for mark in form.marks):
            text = form.hidden_in(text)
            lower = _lower(text)
    if suspected.names and any(mark in lower for mark in NAME_MARKS):
        text = without_named_secrets(text, lower)
    return text


def _lower(text: str) -> str:
    """Return the text in lower case with every letter in its place: a few letters of Turkish become two."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(one.lower() if one.isascii() else one for one in text)
