"""The error of a command that cannot do what was asked."""

from __future__ import annotations


class CommandError(ValueError):
    """A command cannot do what was asked; the message says why and is shown in one line."""
