"""Format numbers, times and untrusted text for people."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from detection.types import Deploy, Metric
from integrations.text import Markup, code, visible

_CITATION_LIKE = re.compile(r"\[\s*(E\s*\d[\d\s,E]*)\]", re.IGNORECASE)

_VERSION = re.compile(r"[\w.+:/@~^-]*")
_INNER_QUOTES = str.maketrans({"“": "'", "”": "'"})


def quoted(text: str, limit: int = 160) -> str:
    """Return text from outside as one plain line of at most `limit` characters, without fake citations."""
    line = _CITATION_LIKE.sub(r"(\1)", visible(text[: limit * 20]))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def in_quotes(text: str, limit: int = 160) -> str:
    """Return text from outside in quotation marks that it cannot close: nobody takes what it says for ours."""
    return f"“{quoted(text, limit).translate(_INNER_QUOTES)}”"


def quoted_code(text: str, limit: int = 160) -> Markup:
    """Return text from outside, such as a query, as code in a sentence of ours."""
    return code(quoted(text, limit))


def iso(seconds: float) -> str:
    """Format seconds since the epoch as ISO 8601 in UTC, for query texts."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: float) -> str:
    """Format a number with no more digits than people need: 1,240, 124, 4.2, 0.03."""
    if abs(value) >= 10 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 1 else f"{value:.2g}"


def percent(share: float) -> str:
    """Format a share as a percentage, such as "41 %" or "2.5 %"."""
    figure = 100 * share
    return f"{figure:.1f} %" if 0 < abs(figure) < 10 and round(figure, 1) != round(figure) else f"{figure:.0f} %"


def likelihood(probability: float) -> str:
    """Format a probability as a percentage that never claims certainty: "97 %", "under 1 %", "over 99 %"."""
    if probability < 0.01:
        return "under 1 %"
    return "over 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def measure(metric: Metric, value: float) -> str:
    """Format a metric's value with its unit, such as "41 %", "180 ms" or "124"."""
    if metric in (Metric.CONVERSION_RATE, Metric.ERROR_RATE):
        return percent(value)
    if metric is Metric.REQUEST_RATE:
        return _per_minute(value, "request")
    if metric is Metric.LOG_RATE:
        return _per_minute(value, "line")
    if metric is Metric.LATENCY_P95:
        return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"
    return number(value)


def _per_minute(value: float, noun: str) -> str:
    written = number(value)
    return f"{written} {noun}{'' if written == '1' else 's'} a minute"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as "1 commit" or "1,200 requests"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def short_sha(sha: str) -> str:
    """Return the first seven characters of a commit SHA."""
    return quoted(sha, 64)[:7]


def query_text(call: str, **arguments: object) -> str:
    """Return a call with its arguments as one line; `since`, `until` and names that end in _at are written as times."""
    written = [f"{name}={_argument(name, value)}" for name, value in arguments.items()]
    return f"{call}({', '.join(written)})"


def _argument(name: str, value: object) -> str:
    if isinstance(value, float) and (name in ("since", "until") or name.endswith("_at")):
        return iso(value)
    return repr(value)


def version_name(deploy: Deploy) -> str:
    """Return the deploy's version: seven characters if it is the commit SHA, in quotation marks if it is a text."""
    sha, version = short_sha(deploy.commit_sha), quoted(deploy.version, 40)
    if version and version.startswith(sha) and _VERSION.fullmatch(version):
        return sha
    return version if _VERSION.fullmatch(version.removesuffix("…")) else in_quotes(version, 40)


def deploy_name(deploy: Deploy) -> str:
    """Return such as "Deploy 3f2a1c9", or "Deploy 1.4 (3f2a1c9)" if the version is not the commit."""
    sha, version = short_sha(deploy.commit_sha), version_name(deploy)
    return f"Deploy {sha}" if version in ("", sha) else f"Deploy {version} ({sha})"
