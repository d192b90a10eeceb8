"""Addresses from outside reach public https hosts, at the address that was checked, and nothing else."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from integrations.errors import RejectedError, RetryableError
from integrations.outbound import check_outbound_url, is_public, pinned, post

HOSTS = ("hooks.slack.com",)


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/x",
        "https://0x7f000001/x",
        "https://0x7f.1/x",
        "https://127.1/x",
        "https://0177.0.0.1/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://[64:ff9b::a00:1]/x",
        "https://[2002:a00:1::]/x",
        "https://example.com./x",
        "https://user@example.com/x",
        "https://example.com@10.0.0.1/x",
        "https://example.com\\@10.0.0.1/x",
        "https://example.com:port/x",
        "https://exa mple.com/x",
        "https://example.com/\r\nHost: a",
        "https://\uff11\uff10.0.0.1/x",
        "https://[fe80::1%eth0]/x",
        "https://224.0.1.1/x",
        "HTTP://example.com",
    ],
)
def test_an_odd_spelling_of_an_address_is_refused(url: str) -> None:
    with pytest.raises(RejectedError):
        check_outbound_url("Slack", url)


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://hooks.slack.com.evil.example/x",
        "https://evil-hooks.slack.com/x",
        "https://hooks.slack.com:8443/x",
        "https://8.8.8.8/x",
        "http://127.0.0.1:6379/x",
        "http://localhost:9000/x",
        "http://hooks.slack.com/x",
    ],
)
def test_where_the_host_is_known_no_other_one_is_posted_to(url: str) -> None:
    with pytest.raises(RejectedError):
        check_outbound_url("Slack", url, hosts=HOSTS, local="http://127.0.0.1:9000/api/")


@pytest.mark.parametrize("url", ["https://hooks.slack.com/actions/1", "http://127.0.0.1:9000/slack/response/1"])
def test_the_known_host_and_the_configured_local_workspace_are_allowed(url: str) -> None:
    assert check_outbound_url("Slack", url, hosts=HOSTS, local="http://127.0.0.1:9000/api/") == url


@pytest.mark.parametrize("addresses", [["10.0.0.8"], ["8.8.8.8", "127.0.0.1"], ["fd00::1"], ["169.254.169.254"], []])
def test_a_name_that_resolves_to_a_private_address_is_refused(addresses: list[str]) -> None:
    with pytest.raises(RejectedError):
        pinned("Slack", "https://hooks.slack.com/x", resolve=lambda host, port: addresses)


def test_the_connection_goes_to_the_very_address_that_was_checked_and_the_certificate_to_the_name() -> None:
    answers = [["8.8.8.8"], ["10.0.0.8"]]
    target, headers, extensions = pinned(
        "Slack", "https://hooks.slack.com/x?y=1", resolve=lambda host, port: answers.pop(0)
    )
    assert str(target) == "https://8.8.8.8/x?y=1"
    assert headers == {"Host": "hooks.slack.com"}
    assert extensions == {"sni_hostname": "hooks.slack.com"}
    assert len(answers) == 1


def test_a_name_that_cannot_be_resolved_may_be_tried_again() -> None:
    def away(host: str, port: int) -> list[str]:
        raise socket.gaierror("no answer")

    with pytest.raises(RetryableError):
        pinned("Slack", "https://hooks.slack.com/x", resolve=away)


def test_a_redirect_is_not_followed() -> None:
    paths: list[str] = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            paths.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/secret")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = HTTPServer(("127.0.0.1", 0), Redirecting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        answer = post("Teams", f"http://127.0.0.1:{server.server_port}/hook", {}, timeout_seconds=10)
    finally:
        server.shutdown()
        server.server_close()
    assert (answer.status_code, paths) == (307, ["/hook"])


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)
