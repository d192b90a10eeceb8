"""Addresses from outside reach public https hosts, at the address that was checked, and nothing else."""

from __future__ import annotations

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from integrations.errors import RejectedError, RetryableError
from integrations.outbound import check_outbound_url, get, is_public, pinned, post

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
        "https://0/x",
        "https://0.0.0.0/x",
        "https://0x0/x",
        "https://017700000001/x",
        "https://127.0.0.0x1/x",
        "https://10.8/x",
        "https://192.168.257/x",
        "https://[::127.0.0.1]/x",
        "https://[::ffff:7f00:1]/x",
        "https://[::ffff:0:7f00:1]/x",
        "https://[::]/x",
        "https://[fec0::1]/x",
        "https://[fd00::1]/x",
        "https://[2001:0:a00:1::]/x",
        "https://[64:ff9b:1::a00:1]/x",
        "https://[2001:db8::1]/x",
        "https://[::1%25lo]/x",
        "https://[fe80::1%25eth0]/x",
        "https://100.64.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://198.18.0.1/x",
        "https://192.0.2.1/x",
        "https://255.255.255.255/x",
        "https://localhost./x",
        "https://LOCALHOST./x",
        "http://localhost.:80/x",
        "https://127\u30020\u30020\u30021/x",
        "https://127\uff0e0\uff0e0\uff0e1/x",
        "https://\u2460\u24ea.0.0.1/x",
        "https://ex\u00e4mple.com/x",
        "https://example.com\u200b/x",
        "https://example..com/x",
        "https://.example.com/x",
        "https://-example.com/x",
        "https://example.com\t/x",
        "https://exam\nple.com/x",
        "\thttps://example.com/x",
        " https://example.com/x",
        "https:/example.com/x",
        "https:example.com/x",
        "https:///x",
        "https://",
        "//example.com/x",
        "https:\\\\example.com/x",
        "https://example.com:-1/x",
        "https://example.com:65536/x",
        "https://example.com:4\u0663/x",
        "https://example.com%2f@10.0.0.1/x",
        "https://10.0.0.1%2f.example.com/x",
        "https://:password@example.com/x",
        "https://@example.com/x",
        "ftp://example.com/x",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_FLUSHALL",
        "javascript:alert(1)",
        "",
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


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com:0/x",
        "https://hooks.slack.com.:443/x",
        "https://hooks.slack.com@evil.example/x",
        "https://evil.example#hooks.slack.com",
        "https://evil.example?hooks.slack.com",
        "https://hooks.slack.com;evil.example/x",
        "https://hooks.slack.com%00.evil.example/x",
        "https://hooks\u3002slack\u3002com/x",
        "http://[::1]:9000/x",
        "http://[::ffff:127.0.0.1]:9000/x",
        "http://127.1:9000/x",
        "http://127.0.0.2:9000/x",
        "https://127.0.0.1:9000/x",
        "http://localhost:9000@evil.example/x",
        "http://127.0.0.1:9000.evil.example/x",
    ],
)
def test_no_spelling_of_another_host_passes_for_the_known_one(url: str) -> None:
    with pytest.raises(RejectedError):
        post("Slack", url, {}, timeout_seconds=1, hosts=HOSTS, local="http://127.0.0.1:9000/api/", resolve=nowhere)


def nowhere(host: str, port: int) -> list[str]:
    raise AssertionError(f"{host} was looked up")


def test_what_is_on_this_machine_is_reached_without_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            return

    server = HTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        answer = post("Teams", f"http://127.0.0.1:{server.server_port}/hook", {}, timeout_seconds=10)
    finally:
        server.shutdown()
        server.server_close()
    assert answer.status_code == 200


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


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "2a00:1450:4001::200e"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


def test_what_a_name_resolves_to_is_checked_before_it_is_read() -> None:
    with pytest.raises(RejectedError, match="private network"):
        get("Status", "https://status.example/x", timeout_seconds=1, most_bytes=9, resolve=lambda *_: ["10.0.0.7"])
