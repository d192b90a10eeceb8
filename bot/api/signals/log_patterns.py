"""The API of named log patterns: list, add, turn on or off, remove."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.api.auditing import record
from bot.auth import Operator
from bot.dependencies import InjectedServices
from bot.errors import ConflictError, MalformedError
from bot.storable_text import Text
from detection.logs.patterns import MAXIMUM_EXPRESSION_LENGTH
from detection.types import Severity
from storage.errors import NameTakenError
from workers.rules import log_patterns
from workers.rules.log_patterns import Pattern, WrongPatternError

router = APIRouter(prefix="/logs/patterns", tags=["Logs"])

PatternName = Annotated[Text, Path(min_length=1, max_length=100, description="The pattern's name.")]


class NewPattern(BaseModel):
    """A pattern to watch for: it fires when it matches lines of a service as it did not in the last seven days."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "payment-declined",
                "expression": "(?i)card \\w+ declined",
                "severity": "sev3",
                "description": "A card was declined by the gateway.",
            }
        },
    )

    name: Annotated[Text, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
    expression: Text = Field(
        min_length=1,
        max_length=MAXIMUM_EXPRESSION_LENGTH,
        description="A regular expression in RE2's syntax, found anywhere in a line; look-around is not available.",
    )
    severity: Severity = Field(Severity.SEV3, description="How bad an incident it opens.")
    description: Text = Field(
        "", max_length=log_patterns.MAXIMUM_DESCRIPTION_LENGTH, description="What such a line means."
    )


class PatternSwitch(BaseModel):
    """Whether a pattern is looked for."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool


class PatternOut(BaseModel):
    """A named pattern."""

    name: str
    expression: str
    severity: Severity
    description: str
    enabled: bool
    built_in: bool = Field(description="Comes with Argux: it can be turned off, not removed.")


def pattern_out(pattern: Pattern) -> PatternOut:
    """Return the API model of a pattern."""
    return PatternOut(
        name=pattern.name,
        expression=pattern.expression,
        severity=pattern.severity,
        description=pattern.description,
        enabled=pattern.enabled,
        built_in=pattern.built_in,
    )


@router.get("", summary="List the named patterns")
def list_all(services: InjectedServices, operator: Operator) -> list[PatternOut]:
    """The built-in patterns, then the team's own."""
    with services.readers() as session:
        return [pattern_out(pattern) for pattern in log_patterns.list_patterns(session)]


@router.post("", status_code=201, summary="Watch for a pattern")
def add(services: InjectedServices, operator: Operator, wanted: NewPattern) -> PatternOut:
    """Look for it in every line that comes in from now on. 409 where there is one of this name."""
    try:
        with services.sessions.begin() as session:
            pattern = log_patterns.add_pattern(
                session,
                name=wanted.name,
                expression=wanted.expression,
                severity=wanted.severity,
                description=wanted.description,
                by=operator.name,
                now=services.clock(),
            )
            record(services, session, operator, "pattern_added", name=wanted.name, expression=wanted.expression)
            return pattern_out(pattern)
    except WrongPatternError as error:
        raise MalformedError(f"{error.field}: {error}", field=error.field) from error
    except NameTakenError as error:
        raise ConflictError(str(error), field="name") from error


@router.patch("/{name}", summary="Turn a pattern on or off")
def switch(services: InjectedServices, operator: Operator, name: PatternName, wanted: PatternSwitch) -> PatternOut:
    """A pattern that is off is kept and not looked for."""
    with services.sessions.begin() as session:
        pattern = log_patterns.switch_pattern(
            session, name, enabled=wanted.enabled, by=operator.name, now=services.clock()
        )
        record(services, session, operator, "pattern_switched", name=name, enabled=wanted.enabled)
        return pattern_out(pattern)


@router.delete("/{name}", status_code=204, summary="Remove a pattern")
def remove(services: InjectedServices, operator: Operator, name: PatternName) -> Response:
    """Forget one of the team's own; what it counted stays until it is past its retention. 409 for a built-in one."""
    try:
        with services.sessions.begin() as session:
            log_patterns.remove_pattern(session, name)
            record(services, session, operator, "pattern_removed", name=name)
    except WrongPatternError as error:
        raise ConflictError(str(error), field=error.field) from error
    return Response(status_code=204)
