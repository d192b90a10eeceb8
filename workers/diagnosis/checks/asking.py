"""Ask one check. A check that fails becomes evidence that says so, and the diagnosis goes on with the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

import structlog
from sqlalchemy.exc import DBAPIError

from integrations.text import ours
from workers.diagnosis.model import Evidence, Outcome

log = structlog.get_logger()

Given = ParamSpec("Given")


def asked(
    check: str, hypothesis_key: str, ask: Callable[Given, Evidence | None], *args: Given.args, **kwargs: Given.kwargs
) -> Evidence | None:
    """Return the check's evidence, or the evidence that it could not be asked."""
    try:
        return ask(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - what cannot be asked is told, and does not end the diagnosis
        return could_not_ask(check, hypothesis_key, error)


def could_not_ask(check: str, hypothesis_key: str, error: Exception) -> Evidence:
    """Return the evidence for a failed check. Raise an error of the database: nothing could be kept without it."""
    if isinstance(error, DBAPIError):
        raise error
    log.warning("check_failed", check=check, exc_info=error)
    words = check.replace("_", " ")
    return Evidence(
        check=check,
        hypothesis_key=hypothesis_key,
        query=check,
        source="telemetry",
        result=ours(
            "What the check of {words} would show is not known: it failed ({kind}).",
            words=words,
            kind=type(error).__name__,
        ),
        data={},
        outcome=Outcome.ERROR,
        weight=0.0,
    )
