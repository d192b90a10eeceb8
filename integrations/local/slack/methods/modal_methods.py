"""The views.* methods: open, push and update modals."""

from __future__ import annotations

from collections.abc import Mapping

from integrations.local.slack.block_kit import views
from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.errors import SlackError
from integrations.local.slack.methods.calls import Call, Method


def _view(call: Call) -> Json:
    return views.accept(call.structure("view"), file_exists=call.workspace.files.exists)


def open_view(call: Call) -> Json:
    """views.open. The view is checked first, so a refused view does not use up the trigger id."""
    view = _view(call)
    user, _ = call.workspace.grants.exchange(call.required("trigger_id"))
    return {"view": call.workspace.modals.open(user, view).to_slack()}


def push_view(call: Call) -> Json:
    """views.push: add a modal on top of the person's open one."""
    view = _view(call)
    user, _ = call.workspace.grants.exchange(call.required("trigger_id"))
    return {"view": call.workspace.modals.push(user, view).to_slack()}


def update_view(call: Call) -> Json:
    """views.update; a `hash` that is not the view's current one is refused with `hash_conflict`."""
    view = _view(call)
    modal = call.workspace.modals.find(call.text("view_id") or None, call.text("external_id") or None)
    expected = call.text("hash")
    if expected and expected != modal.to_slack()["hash"]:
        raise SlackError("hash_conflict")
    return {"view": call.workspace.modals.update(modal, view).to_slack()}


METHODS: Mapping[str, Method] = {
    "views.open": open_view,
    "views.push": push_view,
    "views.update": update_view,
}
