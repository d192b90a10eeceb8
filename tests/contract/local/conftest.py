"""Running workspaces: one for each test, one that tests share, and one for the browser tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.local.workspace import Room, Workspace, running

UNUSED_REPOSITORIES = 24
UNUSED_ROOMS = 30


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace for one test, for tests that affect the whole of it: faults, restarts, stops."""
    with running(tmp_path) as found:
        yield found


@pytest.fixture(scope="session")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace for all tests that do not depend on what others left in it."""
    repositories = ["acme/shop", *(f"acme/shop-{number}" for number in range(UNUSED_REPOSITORIES))]
    rooms = range(UNUSED_ROOMS)
    with running(tmp_path_factory.mktemp("shared"), repositories=repositories, rooms=rooms) as found:
        found.unused_repositories = repositories[1:]
        found.unused_rooms = [Room(found, f"room{number}", f"UANA{number}", f"UBEN{number}") for number in rooms]
        yield found


@pytest.fixture(scope="module")
def shown_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace for the tests of its page in a browser."""
    with running(tmp_path_factory.mktemp("shown")) as found:
        yield found


@pytest.fixture
def room(shared_workspace: Workspace) -> Room:
    """A room of the shared workspace that no other test uses."""
    return shared_workspace.unused_rooms.pop()


@pytest.fixture
def room_with_slack_timeout(tmp_path: Path) -> Iterator[Room]:
    """A room whose workspace waits only three seconds for an acknowledgement, as Slack does."""
    with running(tmp_path, patience_seconds=3.0) as found:
        yield Room(found, "general", "U0ANA", "U0BEN")
