"""The whole state of the emulated Slack."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from integrations.local.changes import Changes
from integrations.local.config import WorkspaceConfig
from integrations.local.slack.conversations import Conversations
from integrations.local.slack.files import Files
from integrations.local.slack.grants import Grants
from integrations.local.slack.modals import Modals
from integrations.local.slack.sockets import Sockets
from integrations.local.store import Store


@dataclass(frozen=True, slots=True)
class SlackWorkspace:
    """The state that Slack's methods read and change."""

    config: WorkspaceConfig
    conversations: Conversations
    files: Files
    grants: Grants
    modals: Modals
    sockets: Sockets


def open_workspace(
    config: WorkspaceConfig,
    directory: Path,
    store: Store,
    changes: Changes,
    *,
    clock: Callable[[], float],
    random_id: Callable[[], str],
) -> SlackWorkspace:
    """Load the workspace from `store`; the bytes of files are in DIRECTORY/files."""
    return SlackWorkspace(
        config=config,
        conversations=Conversations(config, store, changes, clock),
        files=Files(directory / "files", store, clock, random_id),
        grants=Grants(clock, random_id, trigger_seconds=config.patience_seconds),
        modals=Modals(changes, random_id),
        sockets=Sockets(random_id),
    )
