"""Each answer of Jira to a new ticket, through the real client: done, or the error that says how to mend it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from integrations.errors import (
    AuthenticationError,
    FieldsRequiredError,
    IntegrationError,
    NotFoundError,
    RateLimitedError,
    RejectedError,
    RetryableError,
)
from integrations.jira import JiraTracker
from integrations.text import ours

TYPES = [{"id": "1", "name": "Task", "subtask": False, "self": "x"}]
TEAM = {"fieldId": "customfield_1", "name": "Team", "required": True, "schema": {"type": "option"},
        "allowedValues": [{"id": "11", "value": "Payments"}, {"id": "12", "value": "Search"}]}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    body: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: Exception | None = None
    carried_out: bool = False


@dataclass
class Jira(BaseAdapter):
    """Jira at the other end of the jira client's session. `refuse` has the answers of the next creations."""

    refuse: list[Answer] = field(default_factory=list)
    everything: Answer | None = None
    fields: list[dict[str, Any]] = field(default_factory=list)
    refused_names: set[str] = field(default_factory=set)
    wanted: dict[str, str] = field(default_factory=dict)
    tickets: list[dict[str, Any]] = field(default_factory=list)

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = self._answer(request)
        if answer.error is not None:
            raise answer.error
        response = requests.Response()
        response.status_code, response._content, response.url = answer.status, answer.body.encode(), str(request.url)
        response.headers.update({"Content-Type": "application/json", **answer.headers})
        response.request = request
        return response

    def close(self) -> None:
        pass

    def _answer(self, request: requests.PreparedRequest) -> Answer:
        path = str(request.path_url).partition("?")[0].removeprefix("/rest/api/2/")
        if self.everything is not None:
            return self.everything
        if request.method == "POST" and path == "issue":
            assert isinstance(request.body, (str, bytes))
            return self._created(json.loads(request.body)["fields"])
        answers: dict[str, Any] = {
            "serverInfo": {"versionNumbers": [1001, 0, 0], "deploymentType": "Cloud"},
            "project/SHOP": {"key": "SHOP", "self": "x", "issueTypes": TYPES},
            "priority": [{"id": "1", "name": "High", "self": "x"}],
            "field": [],
            "issue/SHOP-1/comment": {"id": "1", "body": "x", "self": "x"},
            "mypermissions": {"permissions": {"CREATE_ISSUES": {"havePermission": True}}},
            "issue/createmeta/SHOP/issuetypes": {"issueTypes": TYPES},
            "issue/createmeta/SHOP/issuetypes/1": {"fields": self.fields},
        }
        if path.startswith(("search", "../3/search", "/rest/api/3/search")):
            found = [{"id": "1", "key": f"SHOP-{number}", "self": "x", "fields": {}}
                     for number, _ in enumerate(self.tickets, start=1)]  # fmt: skip
            return Answer(json.dumps({"issues": found, "isLast": True}))
        return Answer(json.dumps(answers[path]))

    def _created(self, sent: dict[str, Any]) -> Answer:
        answer = self.refuse.pop(0) if self.refuse else None
        if answer is not None and not answer.carried_out:
            return answer
        errors = {name: f"Field '{name}' cannot be set." for name in sent if name in self.refused_names}
        errors |= {name: f"{label} is required." for name, label in self.wanted.items() if not sent.get(name)}
        if errors:
            return Answer(json.dumps({"errorMessages": [], "errors": errors}), 400)
        self.tickets.append(sent)
        return answer or Answer(json.dumps({"id": "1", "key": f"SHOP-{len(self.tickets)}", "self": "x"}), 201)


@pytest.fixture
def jira(monkeypatch: pytest.MonkeyPatch) -> Jira:
    found = Jira()
    monkeypatch.setattr(requests.Session, "get_adapter", lambda self, url: found)
    return found


def create(tracker: JiraTracker, **more: Any) -> str:
    return tracker.create(idempotency_key="incident-7", title="Slow", body=ours("b"), severity="sev2", **more).key


def tracker() -> JiraTracker:
    return JiraTracker("https://jira.example", email="bot@acme.test", token="jira-secret", project="SHOP")


def words(text: str) -> str:
    return json.dumps({"errorMessages": [text], "errors": {}})


REFUSALS: dict[str, tuple[Answer, type[IntegrationError], str]] = {
    "401": (Answer(words("Client must be authenticated"), 401), AuthenticationError, "JIRA_TOKEN"),
    "401 as a page": (Answer("<html>Log in</html>", 401), AuthenticationError, "JIRA_EMAIL"),
    "captcha": (
        Answer("<html>Forbidden</html>", 403, {"X-Seraph-LoginReason": "AUTHENTICATION_DENIED"}),
        AuthenticationError,
        "captcha",
    ),
    "captcha by its other header": (
        Answer("", 401, {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=https://jira.example/login"}),
        AuthenticationError,
        "captcha",
    ),
    "403": (Answer(words("You do not have permission"), 403), AuthenticationError, "create tickets"),
    "404": (Answer(words("No project could be found"), 404), NotFoundError, "JIRA_PROJECT"),
    "410": (Answer("<html>Gone</html>", 410), NotFoundError, "JIRA_URL"),
    "400": (Answer(words("The issue type selected is invalid."), 400), RejectedError, "issue type"),
    "400 about the project": (
        Answer(json.dumps({"errors": {"project": "valid project is required"}}), 400), RejectedError, "valid project",
    ),
    "400 about the issue type": (
        Answer(json.dumps({"errors": {"issuetype": "Specify a valid issue type"}}), 400), RejectedError, "issue type",
    ),
    "409": (Answer(words("conflict"), 409), RejectedError, "conflict"),
    "413": (Answer("<html>", 413), RejectedError, "HTTP 413"),
    "429": (Answer("{}", 429, {"Retry-After": "9"}), RateLimitedError, ""),
    "500": (Answer(words("Internal server error"), 500), RetryableError, ""),
    "502": (Answer("<html>Bad Gateway</html>", 502), RetryableError, ""),
    "503": (Answer("", 503), RetryableError, ""),
    "504": (Answer("", 504), RetryableError, ""),
    "login page": (Answer("<html>Log in with SSO</html>", 200), RetryableError, "the answer was not Jira's"),
    "empty": (Answer("", 200), RetryableError, "the answer was not Jira's"),
    "no object": (Answer("[]", 200), RetryableError, "the answer was not Jira's"),
    "no key": (Answer("{}", 201), RetryableError, "the answer was not Jira's"),
    "timeout": (Answer(error=requests.ReadTimeout("slow")), RetryableError, "did not answer in time"),
    "reset": (Answer(error=requests.ConnectionError("reset")), RetryableError, "cannot be reached"),
}  # fmt: skip
refusals = pytest.mark.parametrize(
    ("answer", "kind", "text"), [pytest.param(*given, id=name) for name, given in REFUSALS.items()]
)


@refusals
def test_a_refused_creation_becomes_the_error_that_says_how_to_mend_it(
    jira: Jira, answer: Answer, kind: type[IntegrationError], text: str
) -> None:
    jira.refuse = [answer]
    found = tracker()
    with pytest.raises(kind) as caught:
        create(found)
    assert type(caught.value) is kind
    assert text in str(caught.value)
    assert "<html>" not in str(caught.value)
    assert "jira-secret" not in str(caught.value)
    assert create(found) == "SHOP-1"


@refusals
def test_what_is_refused_before_the_creation_becomes_the_same_error(
    jira: Jira, answer: Answer, kind: type[IntegrationError], text: str
) -> None:
    jira.everything = answer
    with pytest.raises(IntegrationError) as caught:
        create(tracker())
    assert isinstance(caught.value, RetryableError) is issubclass(kind, RetryableError)
    assert "<html>" not in str(caught.value)


@pytest.mark.parametrize(
    "lost",
    [
        Answer(error=requests.ReadTimeout("slow"), carried_out=True),
        Answer(error=requests.ConnectionError("reset"), carried_out=True),
        Answer("<html>Bad Gateway</html>", 502, carried_out=True),
        Answer("<html>", 200, carried_out=True),
    ],
)
def test_a_ticket_whose_answer_was_lost_is_not_made_twice_and_the_search_is_given_time(
    jira: Jira, lost: Answer
) -> None:
    jira.refuse = [lost]
    found = tracker()
    with pytest.raises(RetryableError) as caught:
        create(found)
    assert caught.value.retry_after_seconds == 20.0
    assert create(found) == "SHOP-1"
    assert len(jira.tickets) == 1


@pytest.mark.parametrize("names", [{"priority"}, {"labels"}, {"description"}, {"priority", "labels"}])
def test_fields_that_are_not_on_the_screen_never_cost_the_ticket(jira: Jira, names: set[str]) -> None:
    jira.refused_names = names
    assert create(tracker()) == "SHOP-1"


def test_a_required_field_is_named_with_its_id_and_the_answer_fills_it(jira: Jira) -> None:
    jira.fields, jira.wanted = [TEAM], {"customfield_1": "Team"}
    found = tracker()
    with pytest.raises(FieldsRequiredError, match="Press Create Jira ticket again") as caught:
        create(found)
    assert (caught.value.fields, caught.value.keys) == (("Team",), ("customfield_1",))
    [asked] = found.fields_to_ask()
    assert asked.choices == (("11", "Payments"), ("12", "Search"))
    assert create(found, answers={"customfield_1": "12"}) == "SHOP-1"
    assert jira.tickets[0]["customfield_1"] == {"id": "12"}


def test_an_answer_never_replaces_what_argux_writes_itself(jira: Jira) -> None:
    jira.fields = [TEAM]
    create(tracker(), answers={"summary": "pwned", "project": "OTHER", "unknown": "x"})
    assert jira.tickets[0]["summary"] == "Slow"
    assert jira.tickets[0]["project"] == {"key": "SHOP"}
    assert "unknown" not in jira.tickets[0]


def test_a_field_that_only_a_workflow_wants_is_asked_for_once_it_was_missing(jira: Jira) -> None:
    jira.fields, jira.wanted = [{**TEAM, "required": False}], {"customfield_1": "Team"}
    found = tracker()
    assert found.check_creating() == ()
    assert [one.name for one in found.fields_to_ask(["customfield_1"])] == ["customfield_1"]


def test_priorities_that_argux_does_not_know_are_asked_for(jira: Jira) -> None:
    ours_too = [{"id": str(n), "name": name} for n, name in enumerate(("Highest", "High", "Medium", "Low"))]
    priority = {"fieldId": "priority", "name": "Priority", "required": True, "schema": {"type": "priority"}}
    jira.fields = [{**priority, "allowedValues": ours_too}]
    assert tracker().check_creating() == ()
    jira.fields = [{**priority, "allowedValues": [{"id": "1", "name": "P1"}, {"id": "2", "name": "P2"}]}]
    assert tracker().check_creating() == ("Priority",)
    assert create(tracker(), answers={"priority": "2"}) == "SHOP-1"
    assert jira.tickets[0]["priority"] == {"id": "2"}
