"""The error of an export that has nowhere to go."""

from __future__ import annotations


class FolderInUseError(ValueError):
    """The folder holds something that is no export; the message says what to do."""
