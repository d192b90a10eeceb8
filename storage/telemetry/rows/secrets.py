"""Hide the secrets that stand in a text, whatever their form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from storage.telemetry.rows.secret_forms import FORMS, Form, forms_in
from storage.telemetry.rows.secret_names import NAME_MARKS, without_named_secrets


@dataclass(frozen=True, slots=True)
class Suspected:
    """What a text, or some texts together, may hold: most hold nothing, which is found out at once for all of them.

    marks: a text without any of them, in lower case, holds none of it.
    """

    forms: Sequence[Form] = FORMS
    names: bool = True
    marks: tuple[str, ...] = (*(mark for form in FORMS for mark in form.marks), *NAME_MARKS)

    def __bool__(self) -> bool:
        return self.names or bool(self.forms)

    def may_be_in(self, lower: str) -> bool:
        """Whether a text, in lower case, may hold any of it."""
        return any(map(lower.__contains__, self.marks))


EVERYTHING = Suspected()


def suspected_in(texts: Iterable[str]) -> Suspected:
    """Return what these texts may hold."""
    together = "\n".join(texts).lower()
    forms = forms_in(together)
    names = [mark for mark in NAME_MARKS if mark in together]
    return Suspected(forms, bool(names), (*(mark for form in forms for mark in form.marks if mark in together), *names))


def without_secrets(text: str, suspected: Suspected = EVERYTHING) -> str:
    """Return the text with the secrets in it hidden."""
    if not suspected:
        return text
    lower = _lower(text)
    if not suspected.may_be_in(lower):
        return text
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
