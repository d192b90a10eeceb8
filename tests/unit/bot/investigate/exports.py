"""Write an exported incident for a test, file by file."""

from __future__ import annotations

import json
from pathlib import Path

ALERT = {
    "service": "checkout",
    "metric": "http_5xx_rate",
    "threshold": 0.05,
    "observed": 0.4,
    "fired_at": "2026-05-04T10:40:00Z",
    "severity": "critical",
    "monitor": "checkout-errors",
    "summary": "checkout fails for 40 % of requests",
}


def write(folder: Path, name: str, content: object) -> Path:
    """Write one file of an export: text as it is, anything else as JSON."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path
