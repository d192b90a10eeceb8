"""The demo follows an incident, presses the buttons in an automatic run, and names a stage that failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from rich.console import Console

from bot.demo.argux import ArguxApi
from bot.demo.deployer import Deploy
from bot.demo.errors import DemoError, StageError
from bot.demo.narration import Narrator
from bot.demo.person import Person
from bot.demo.repository.changes import FREE_RETURNS, LIVE_STOCK
from bot.demo.repository.repository import ShopRepository
from bot.demo.waiting import until
from bot.demo.watching import Limits, Result, Watch

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def after(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


class FakeArgux:
    """A fake of Argux and the workspace's page with one incident, which is resolved when the fix is approved."""

    def __init__(self, repository: ShopRepository) -> None:
        self.repository = repository
        self.deploys = [Deploy(repository.head(), "v1", NOW)]
        self.diagnosis = {
            "status": "concluded",
            "root_cause": "an N+1",
            "suspect_commit": "abc",
            "confidence": 0.97,
            "finished_at": after(35),
        }
        self.verification = {"status": "recovered", "measures": [{"text": "p95 is 50 ms again."}]}
        self.modals: list[dict[str, str]] = []
        self.approved = False
        self.metrics = ["latency_p95_ms", "conversion_rate"]
        self.closed_as = "open"
        self.pressed: list[tuple[str, dict[str, str]]] = []

    def incident(self) -> dict[str, Any]:
        proposal = {"title": "Revert abc", "parameters": {"number": 4}}
        approval = {"decided_by": "Ana", "decided_at": after(40)}
        return {
            "id": 1,
            "title": "POST /checkout is slow",
            "opened_at": after(30),
            "closed_at": after(90),
            "status": "resolved" if self.approved else self.closed_as,
            "diagnosis": self.diagnosis,
            "proposal": proposal,
            "approval": approval if self.approved else None,
            "verification": self.verification if self.approved else None,
            "findings": [{"metric": metric} for metric in self.metrics],
        }

    def page(self) -> dict[str, Any]:
        blocks = [{"type": "actions", "elements": [{"type": "button", "action_id": "approve_fix"}]}]
        root = {"channel": "C0INCIDENTS", "ts": "12.5", "blocks": [] if self.approved else blocks, "thread": []}
        return {"messages": [root], "modals": self.modals}

    def approve(self) -> None:
        self.approved = True
        (merged,) = self.repository.push([FREE_RETURNS], NOW)
        self.deploys.append(Deploy(merged.sha, "v2", NOW + timedelta(seconds=50)))

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.method == "POST":
            body = dict(httpx.Response(200, content=request.content).json())
            self.pressed.append((path, body))
            if path == "/page/act":
                self.modals = [{"view_id": "V1", "submit": "Approve and merge"}]
            elif self.closed_as == "open":
                self.modals = []
                self.approve()
            return httpx.Response(200, json={"ok": True})
        answers: dict[str, Any] = {
            "/api/incidents": [self.incident()],
            "/api/incidents/1": self.incident(),
            "/page/state": self.page(),
        }
        return httpx.Response(200, json=answers[path])


@pytest.fixture
def argux(tmp_path: Path) -> FakeArgux:
    repository = ShopRepository(tmp_path / "shop.git", tmp_path / "clone")
    repository.create(NOW)
    repository.push([LIVE_STOCK], NOW)
    return FakeArgux(repository)


class Heard(StringIO):
    """What is printed; the user at the page acts once these words are."""

    def __init__(self, words: str, *, then: Callable[[], None]) -> None:
        super().__init__()
        self._words, self._then = words, then
        self._has_acted = False

    def write(self, text: str) -> int:
        length = super().write(text)
        if not self._has_acted and self._words in self.getvalue():
            self._has_acted = True
            self._then()
        return length


async def follow(argux: FakeArgux, *, presses: bool = True, printed: StringIO | None = None) -> tuple[Result, str]:
    """Follow the incident as an automatic run does, or as one where somebody at the page presses. Return the result
    and the printed text."""
    printed = printed or StringIO()
    result = Result("abc")
    transport = httpx.MockTransport(argux.answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://argux") as client:
        deployer: Any = SimpleNamespace(deploys=argux.deploys)
        watch = Watch(
            ArguxApi(client),
            argux.repository,
            deployer,
            Narrator(Console(file=printed, width=200)),
            argux.deploys[0],
            result,
            Person(client, "U0ANA") if presses else None,
        )
        await watch.follow(await watch.incident())
    return result, printed.getvalue()


async def test_an_automatic_run_approves_submits_the_modal_and_summarises(argux: FakeArgux) -> None:
    result, printed = await follow(argux)
    assert argux.pressed == [
        ("/page/act", {"user": "U0ANA", "channel": "C0INCIDENTS", "message_ts": "12.5", "action_id": "approve_fix"}),
        ("/page/modals/V1/submit", {"user": "U0ANA"}),
    ]
    summary = result.as_json()
    assert list(summary) == [
        "incident",
        "root_cause",
        "suspect_commit",
        "true_commit",
        "confidence",
        "pull_request",
        "seconds",
    ]
    assert (summary["incident"], summary["suspect_commit"], summary["pull_request"]) == (1, "abc", 4)
    assert list(summary["seconds"]) == ["to_incident", "to_diagnosis", "to_fix_merged", "to_verified"]
    assert summary["seconds"]["to_incident"] == 30.0
    assert summary["seconds"]["to_verified"] == 90.0
    assert "p95 is 50 ms again." in printed


async def test_an_inconclusive_diagnosis_fails_the_run_with_its_text(argux: FakeArgux) -> None:
    argux.diagnosis |= {"status": "inconclusive", "root_cause": "nothing stood out"}
    with pytest.raises(StageError, match=r"finding the cause: .*inconclusive: nothing stood out"):
        await follow(argux)


async def test_a_drop_in_conversion_that_is_never_told_fails_the_run(
    argux: FakeArgux, monkeypatch: pytest.MonkeyPatch
) -> None:
    argux.metrics = ["latency_p95_ms"]
    monkeypatch.setattr("bot.demo.watching.Limits", lambda: Limits(conversion=0.0))
    with pytest.raises(StageError, match="telling of the drop in conversion"):
        await follow(argux)
    assert argux.pressed == [], "no fix hides that it was never told"


async def test_a_drop_that_is_never_told_is_said_at_once_and_fails_the_run_of_a_user_at_the_page(
    argux: FakeArgux, monkeypatch: pytest.MonkeyPatch
) -> None:
    argux.metrics = ["latency_p95_ms"]
    monkeypatch.setattr("bot.demo.watching.INTERACTIVE_LIMITS", Limits(conversion=0.0))
    words = "Something is missing: telling of the drop in conversion"
    printed = Heard(words, then=argux.approve)

    with pytest.raises(StageError, match="telling of the drop in conversion"):
        await follow(argux, presses=False, printed=printed)

    assert "Merged: main is at" in printed.getvalue(), "the user's fix is followed all the same"


async def test_a_user_who_fixes_before_the_drop_is_told_has_a_run_that_succeeds(argux: FakeArgux) -> None:
    argux.metrics = ["latency_p95_ms"]

    result, printed = await follow(argux, presses=False, printed=Heard("Offered: ", then=argux.approve))

    assert "Something is missing" not in printed
    assert result.seconds.to_verified == 90.0


async def test_a_fix_without_recovery_fails_the_run(argux: FakeArgux) -> None:
    argux.verification["status"] = "not_recovered"
    with pytest.raises(StageError, match="verifying the fix: not recovered"):
        await follow(argux)


async def test_an_incident_closed_before_the_fix_fails_the_run(argux: FakeArgux) -> None:
    argux.closed_as = "false_alarm"
    with pytest.raises(StageError, match="closed as false_alarm before"):
        await follow(argux)


async def test_a_stage_that_times_out_is_named_in_the_error() -> None:
    async def nothing() -> None:
        return None

    with pytest.raises(StageError, match="noticing the fault: did not come to its end") as caught:
        await until(nothing, "noticing the fault", 0.02, every=0.001)
    assert caught.value.stage == "noticing the fault"


async def test_an_error_response_from_argux_is_reported_with_the_route() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, text="no such key")

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse), base_url="http://argux") as client:
        with pytest.raises(DemoError, match="Argux answered 401 to GET /api/incidents: no such key"):
            await ArguxApi(client).incidents()


async def test_the_page_is_empty_until_the_first_message(argux: FakeArgux) -> None:
    state = argux.page()
    shown: list[dict[str, Any]] = [{**state, "messages": []}, state]
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=shown.pop(0)))
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as page:
        person = Person(page, "U0ANA")
        assert not await person.has_messages()
        assert await person.has_messages()
