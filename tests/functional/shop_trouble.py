"""Helpers for a broken shop: a healthy week, a bad deploy, and the actions of a deployer and of an approver."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from bot.demo.repository.changes import FREE_RETURNS, LIVE_STOCK
from bot.demo.repository.repository import Commit
from tests.functional.stack import FUNNEL, Stack, eventually, posted
from tests.functional.telemetry import Feeder, Send, to_doors, traffic, week_of_history

ANA, BEN = "U0ANA", "U0BEN"


def break_the_shop(stack: Stack) -> tuple[str, Commit]:
    """Send a healthy week, then deploy two commits 90 seconds ago. Return the deploy's head and the bad commit."""
    send = _doors(stack)
    now = time.time()
    healthy = stack.repository.head()
    stack.api.post("/api/funnels", json=FUNNEL).raise_for_status()
    deploy(stack, healthy, now - 86_400)
    week_of_history(send, now=now, version=healthy)
    traffic(send, since=now - 1500, until=now - 90, version=healthy, broken=False)
    bad, _ = stack.repository.push([LIVE_STOCK, FREE_RETURNS], datetime.now(UTC))
    head = stack.repository.head()
    deploy(stack, head, now - 90)
    traffic(send, since=now - 90, until=time.time(), version=head, broken=True)
    return head, bad


def deploy(stack: Stack, sha: str, at: float) -> None:
    body = {
        "service": "shop",
        "version": sha,
        "commit_sha": sha,
        "repository": "acme/shop",
        "deployed_at": datetime.fromtimestamp(at, UTC).isoformat(),
        "deployed_by": "deployer",
    }
    posted(stack.api, "/api/deploys", json=body)


def incident(stack: Stack) -> dict[str, Any]:
    """Return the only incident with all its details, or {} if there is none. Fail if there is more than one."""
    found = stack.incidents()
    assert len(found) <= 1, [row["title"] for row in found]
    return stack.api.get(f"/api/incidents/{found[0]['id']}").raise_for_status().json() if found else {}


def explained(stack: Stack, commit: Commit) -> dict[str, Any] | None:
    """Return the incident if a revert of only this commit is proposed and no diagnosis is running, else None."""
    found = incident(stack)
    proposal = found.get("proposal")
    if not proposal or proposal["parameters"]["commit_shas"] != [commit.sha]:
        return None
    return found if found["diagnosis"]["status"] != "running" else None


def root_messages(stack: Stack) -> list[dict[str, Any]]:
    """Return the messages in the channel, without those in threads."""
    state = stack.page.get("/page/state", params={"user": ANA}).raise_for_status().json()
    channel = next(channel for channel in state["channels"] if channel["name"] == "incidents")
    roots = [one for one in state["messages"] if one["channel"] == channel["id"] and not one.get("thread_ts")]
    # On a busy machine Argux may also say that it is late, which is about no incident.
    return [message for message in roots if not message["text"].startswith("Argux ")]


def feeding(stack: Stack, version: str) -> Feeder:
    return Feeder(_doors(stack), version=version, broken=True)


def _doors(stack: Stack) -> Send:
    return to_doors(stack.key, stack.api)


def deploy_the_merged_head(stack: Stack, feeder: Feeder, bad_head: str) -> None:
    """Wait for the merge, then deploy main's new head, which fixes the shop."""

    def new_head() -> str | None:
        head = stack.repository.head()
        return None if head == bad_head else head

    merged = eventually(new_head, seconds=60, what="the merge")
    feeder.version, feeder.broken = merged, False
    deploy(stack, merged, time.time())


def fault(stack: Stack, **what: Any) -> None:
    stack.page.post("/page/faults", json=what).raise_for_status()


def press(stack: Stack, message: dict[str, Any], action_id: str, *, user: str) -> None:
    """Press a button of a message. Wait until the message has it."""
    body = {"user": user, "channel": message["channel"], "message_ts": message["ts"], "action_id": action_id}
    eventually(lambda: stack.page.post("/page/act", json=body).is_success, seconds=60, what=f"the button {action_id}")


def modals(stack: Stack, user: str) -> list[dict[str, Any]]:
    """Return the dialogs with a submit button. A dialog that is still loading has none."""
    state = stack.page.get("/page/state", params={"user": user}).raise_for_status().json()
    return [modal for modal in state["modals"] if modal["submit"]]
