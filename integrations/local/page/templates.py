"""Render the HTML pages of pull requests, commits and tickets on the server. All values are escaped."""

from __future__ import annotations

from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y, %H:%M UTC")


def _line_class(line: str) -> str:
    """Return the CSS class of a diff line, for its colour."""
    if line.startswith("@@"):
        return "hunk"
    if line.startswith("+"):
        return "added"
    return "removed" if line.startswith("-") else "same"


def render(name: str, **values: object) -> str:
    """Render a template from page/templates."""
    environment = Environment(
        loader=PackageLoader("integrations.local.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {"utc": _utc, "line_class": _line_class}
    return environment.get_template(name).render(**values)
