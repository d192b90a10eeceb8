"""Parse and evaluate a subset of JQL: clauses on project, label, key, status or type, joined by AND."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from integrations.local.jira.errors import JiraError

_TOKEN = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|!=|=|\(|\)|,|[^\s"'=!(),]+)""")
_ALIASES = {"issuekey": "key", "type": "issuetype"}
FIELDS = ("project", "labels", "key", "status", "issuetype")


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition: the field has one of these values or, if `negated`, none of them."""

    field: str
    values: tuple[str, ...]
    negated: bool


def parse(query: str) -> list[Clause]:
    """Return the clauses of a query; ORDER BY is ignored.

    Raises JiraError 400 for all other JQL, including what the real Jira accepts.
    """
    where = re.split(r"\border\s+by\b", query, maxsplit=1, flags=re.IGNORECASE)[0]
    tokens = _tokens(where)
    if not tokens:
        raise JiraError(400, "Unbounded JQL queries are not allowed here. Please add a search restriction.")
    clauses = []
    while True:
        clause, tokens = _clause(tokens)
        clauses.append(clause)
        if not tokens:
            return clauses
        if tokens[0].lower() != "and":
            raise _error(f"Expecting 'AND' but got '{tokens[0]}'.")
        tokens = tokens[1:]


def matches(clauses: Sequence[Clause], values: Callable[[str], Sequence[str]]) -> bool:
    """Return whether a ticket matches every clause, ignoring case; `values` returns the ticket's values of a field."""
    for clause in clauses:
        held = {value.lower() for value in values(clause.field)}
        if held.isdisjoint(value.lower() for value in clause.values) != clause.negated:
            return False
    return True


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while text[position:].strip():
        found = _TOKEN.match(text, position)
        if found is None:
            raise _error(f"The character '{text[position:].strip()[0]}' is not understood here.")
        tokens.append(found[1])
        position = found.end()
    return tokens


def _clause(tokens: list[str]) -> tuple[Clause, list[str]]:
    if len(tokens) < 3:
        raise _error("Expecting a field, an operator and a value before the end of the query.")
    field = _ALIASES.get(tokens[0].lower(), tokens[0].lower())
    if field not in FIELDS:
        raise JiraError(400, f"Field '{tokens[0]}' does not exist or you do not have permission to view it.")
    if tokens[1] in ("=", "!="):
        return Clause(field, (_value(tokens[2]),), negated=tokens[1] == "!="), tokens[3:]
    if tokens[1].lower() == "in":
        values, rest = _list(tokens[2:])
        return Clause(field, values, negated=False), rest
    if [token.lower() for token in tokens[1:3]] == ["not", "in"]:
        values, rest = _list(tokens[3:])
        return Clause(field, values, negated=True), rest
    raise _error(f"Expecting operator but got '{tokens[1]}'. The valid operators are '=', '!=', 'in' and 'not in'.")


def _list(tokens: list[str]) -> tuple[tuple[str, ...], list[str]]:
    if not tokens or tokens[0] != "(" or ")" not in tokens:
        raise _error("Expecting a list of values in parentheses.")
    end = tokens.index(")")
    return tuple(_value(word) for word in tokens[1:end] if word != ","), tokens[end + 1 :]


def _value(token: str) -> str:
    if token in ("(", ")", ",", "=", "!="):
        raise _error(f"Expecting a value but got '{token}'.")
    return re.sub(r"\\(.)", r"\1", token[1:-1]) if token[0] in "\"'" else token


def _error(message: str) -> JiraError:
    return JiraError(400, f"Error in the JQL Query: {message}")
