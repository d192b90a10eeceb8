"""One press of Approve fix opens the dialog with the change, even while other systems fail. Uses real processes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.demo.repository.changes import LIVE_STOCK
from detection.types import Severity
from integrations.github import GitHubCodeHost
from integrations.text import ours
from storage import incidents, proposals
from storage.database.session import create_database, sessions
from tests.functional.shop_trouble import ANA, fault, modals, press, root_messages
from tests.functional.stack import PATIENCE_SECONDS, Stack, eventually, running_stack
from workers.diagnosis.steps.fix import REVERT_PULL_REQUEST
from workers.remediation.catalogue import RevertPullRequest, describe_revert
from workers.telling.enqueue import enqueue_refresh


class Offer:
    """An incident with a proposal to merge a real revert pull request."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.engine = create_database(stack.environment["DATABASE_URL"])
        (bad,) = stack.repository.push([LIVE_STOCK], datetime.now(UTC))
        host = GitHubCodeHost(token=stack.secrets["github"], base_url=f"{stack.workspace_url}/github")
        self.pull_request = host.open_revert(
            "acme/shop", (bad.sha,), branch="argux/revert", title="Revert", body=ours("")
        )
        self.plan = RevertPullRequest(
            repository="acme/shop", number=self.pull_request.number, head_sha=self.pull_request.head_sha,
            url=self.pull_request.url, service="shop", commit_shas=(bad.sha,),
        )  # fmt: skip
        now = datetime.now(UTC)
        with sessions(self.engine).begin() as session:
            self.incident_id = incidents.open_incident(
                session, title="POST /checkout is slow", severity=Severity.SEV2, service="shop", onset_at=now, now=now
            ).id

    def make(self) -> int:
        """Create a proposal for the fix, which replaces an earlier one."""
        offer, now = describe_revert(self.plan), datetime.now(UTC)
        with sessions(self.engine).begin() as session:
            proposal = proposals.create_proposal(
                session, incident_id=self.incident_id, diagnosis_id=None, action=REVERT_PULL_REQUEST,
                title=offer.title, parameters=self.plan.model_dump(mode="json"), risk=offer.risk,
                blast_radius=offer.blast_radius, verified_by=offer.verified_by, undone_by=offer.undone_by, now=now,
                expires_at=datetime(2099, 1, 1, tzinfo=UTC),
            )  # fmt: skip
            enqueue_refresh(session, self.incident_id, key=f"offer:{proposal.id}", now=now)
            return proposal.id

    def pressed(self) -> str:
        """Press Approve fix once. Return the dialog's blocks as text when it can be submitted."""
        message = root_messages(self.stack)[0]
        press(self.stack, message, "approve_fix", user=ANA)
        view = eventually(lambda: modals(self.stack, ANA), seconds=60, what="the dialog")[0]
        self.stack.page.post(f"/page/modals/{view['view_id']}/close", json={"user": ANA}).raise_for_status()
        return str(view["blocks"])


@pytest.fixture
def offer(tmp_path: Path) -> Iterator[Offer]:
    with running_stack(tmp_path, f"sqlite:///{tmp_path / 'argux.db'}") as stack:
        made = Offer(stack)
        made.make()
        eventually(lambda: _has_button(stack), seconds=60, what="the message")
        yield made
        made.engine.dispose()


def test_one_press_opens_the_dialog_while_github_slack_worker_and_scheduler_fail(offer: Offer) -> None:
    stack = offer.stack
    assert offer.plan.head_sha in offer.pressed()
    fault(stack, system="github", status=500, count=2)
    assert "SELECT stock FROM products" in offer.pressed()
    fault(stack, system="slack", status=500, count=1, path_contains="views.open")
    assert offer.plan.head_sha in offer.pressed()
    offer.make()
    assert offer.plan.head_sha in offer.pressed()
    for name in ("worker", "scheduler"):
        stack.kill(name)
    began = time.monotonic()
    message = root_messages(stack)[0]
    press(stack, message, "approve_fix", user=ANA)
    shown = eventually(
        lambda: stack.page.get("/page/state", params={"user": ANA}).json()["modals"],
        seconds=60,
        what="the loading dialog",
    )
    assert "Loading the change" in str(shown[0]["blocks"])
    # Now the trigger of the click has expired, so the open dialog must be updated.
    time.sleep(max(0.0, began + PATIENCE_SECONDS + 1 - time.monotonic()))
    stack.start("worker", "scheduler")
    view = eventually(lambda: modals(stack, ANA), seconds=120, what="the dialog")[0]
    assert offer.plan.head_sha in str(view["blocks"])


def _has_button(stack: Stack) -> bool:
    return any("approve_fix" in str(message["blocks"]) for message in root_messages(stack))
