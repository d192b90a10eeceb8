"""Escape sequences of terminals are removed, and nothing else."""

from __future__ import annotations

import pytest

from integrations.inbound.lines.escapes import plain
from integrations.inbound.lines.understanding import understand


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[1;31mlamp\x1b[0m out", "lamp out"),
        ("\x1b[38;5;196mlamp\x1b[39m out", "lamp out"),
        ("\x1b[2K\x1b[1Glamp out\x1b[?25h", "lamp out"),
        ("\x1b]0;title\x07lamp out", "lamp out"),
        ("\x1b]8;;https://lamps.example\x1b\\lamp\x1b]8;;\x1b\\ out", "lamp out"),
        ("\x1b(Blamp out", "lamp out"),
        ("\x9b31mlamp\x9b0m out", "lamp out"),
        ("#033[31mlamp#033[0m out", "lamp out"),
        ("\\u001b[31mlamp\\u001b[0m out", "lamp out"),
        ("\\x1b[31mlamp\\x1b[0m out", "lamp out"),
        ("^[[31mlamp^[[0m out", "lamp out"),
        ("[1;31mlamp[0m out", "lamp out"),
        ("rate(lamps[5m]) over [10m]", "rate(lamps[5m]) over [10m]"),
        ("lamp [31] out [0m]", "lamp [31] out [0m]"),
        ("Größe 5 #033 \\x1b", "Größe 5 #033 \\x1b"),
        ("灯が消えた", "灯が消えた"),
    ],
)
def test_what_a_terminal_would_obey_is_removed(text: str, left: str) -> None:
    assert plain(text) == left


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("\x1b[90m12:00PM\x1b[0m \x1b[31m\x1b[1mERR\x1b[0m\x1b[0m lamp out", "ERROR"),
        ("[\x1b[33mWARN\x1b[0m] lamp flickers", "WARN"),
        ("\x1b[32minfo\x1b[39m: lamp lit", "INFO"),
        ("\x1b[31mlevel\x1b[0m=error msg=out", "ERROR"),
    ],
)
def test_a_coloured_level_is_read(line: str, severity: str) -> None:
    assert understand(line).severity == severity
