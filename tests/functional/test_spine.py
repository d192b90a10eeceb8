"""The complete flow from a bad deploy to a verified fix, with real processes on both databases."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.functional.shop_trouble import (
    ANA,
    break_the_shop,
    deploy_the_merged_head,
    explained,
    fault,
    feeding,
    incident,
    modals,
    press,
    root_messages,
)
from tests.functional.stack import Stack, eventually, running_stack


def test_a_bad_deploy_is_explained_approved_in_the_browser_merged_and_verified(stack: Stack, page: Page) -> None:
    head, bad = break_the_shop(stack)
    with feeding(stack, head) as feeder:
        diagnosed = eventually(lambda: explained(stack, bad), seconds=240, what="a fix")
        assert diagnosed["diagnosis"]["suspect_commit"] == bad.sha
        page.goto(f"{stack.workspace_url}/")
        approve = page.get_by_test_id("message").locator("[data-action-id=approve_fix]")
        approve.click()
        modal = page.get_by_test_id("modal")
        expect(modal).to_contain_text(diagnosed["proposal"]["parameters"]["head_sha"])
        expect(modal).to_contain_text("SELECT stock FROM products")
        page.get_by_test_id("modal-submit").click()
        deploy_the_merged_head(stack, feeder, head)
        expect(approve).to_have_count(0)
        resolved = eventually(
            lambda: (found := incident(stack))["status"] == "resolved" and found, seconds=240, what="the recovery"
        )
    assert resolved["verification"]["status"] == "recovered"
    assert all(measure["recovered_share"] > 0.8 for measure in resolved["verification"]["measures"])
    expect(page.get_by_test_id("message").first).to_contain_text("Recovered")
    assert stack.command("audit", "verify")


def test_nothing_is_lost_or_posted_twice_when_slack_github_and_workers_fail(
    tmp_path: Path, postgresql_url: str
) -> None:
    with running_stack(tmp_path, postgresql_url) as stack:
        fault(stack, system="slack", status="lost_answer", count=1, path_contains="chat.postMessage")
        fault(stack, system="slack", status=429, retry_after=1, count=2, path_contains="chat.postMessage")
        fault(stack, system="github", status=500, count=2)
        head, bad = break_the_shop(stack)
        with feeding(stack, head) as feeder:
            eventually(lambda: incident(stack), seconds=60, what="an incident")
            for name in ("worker", "scheduler"):
                stack.kill(name)
                stack.start(name)
            diagnosed = eventually(lambda: explained(stack, bad), seconds=240, what="a fix")
            assert diagnosed["diagnosis"]["suspect_commit"] == bad.sha
            message = eventually(lambda: root_messages(stack), seconds=60, what="the thread")[0]
            press(stack, message, "approve_fix", user=ANA)
            view = eventually(lambda: modals(stack, ANA), seconds=60, what="the dialog")[0]
            stack.page.post(f"/page/modals/{view['view_id']}/submit", json={"user": ANA}).raise_for_status()
            stack.kill("web")
            stack.start("web")
            deploy_the_merged_head(stack, feeder, head)
            eventually(lambda: incident(stack)["status"] == "resolved", seconds=240, what="the recovery")
        assert len(root_messages(stack)) == 1, [message["text"] for message in root_messages(stack)]
