"""Who sits at the terminal, for the audit chain."""

from __future__ import annotations

import getpass


def user_name() -> str:
    """Return the name of the user at the terminal; "the command line" where the system has no name for them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "the command line"
