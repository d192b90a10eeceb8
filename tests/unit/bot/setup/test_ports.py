"""A port that cannot be listened on is refused in one line: which, by whom it is held, and how to choose another."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from bot.setup.ports import PortUnusableError, require_usable, wanted_ports
from tests.ports import free_port
from tests.unit.bot.conftest import RunArgux
from workers.settings import Settings


def settings(**values: object) -> Settings:
    return Settings.model_validate({"argux_port": free_port(), **values})


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("argux_port", socket.SOCK_STREAM),
        ("otlp_grpc_port", socket.SOCK_STREAM),
        ("syslog_port", socket.SOCK_STREAM),
        ("syslog_port", socket.SOCK_DGRAM),
    ],
)
def test_a_taken_port_is_named_with_its_holder_and_its_setting(name: str, kind: socket.SocketKind) -> None:
    port = free_port()
    with socket.socket(type=kind) as other:
        if kind == socket.SOCK_STREAM:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        if kind == socket.SOCK_STREAM:
            other.listen()

        with pytest.raises(PortUnusableError) as refused:
            require_usable(wanted_ports(settings(**{name: port})))

    text = str(refused.value)
    assert f"Port {port} (" in text
    assert f"{name.upper()}=" in text
    assert "\n" not in text
    if sys.platform == "linux":
        assert f"(process {os.getpid()})" in text


def test_a_port_that_is_taken_on_one_of_a_hosts_addresses_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    port = free_port()
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
    ]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: found)
    with socket.socket(socket.AF_INET6) as other:
        other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        other.bind(("::1", port))
        other.listen()

        with pytest.raises(PortUnusableError, match=f"Port {port} "):
            require_usable(wanted_ports(settings(argux_host="localhost", argux_port=port)))


def test_free_ports_are_usable() -> None:
    require_usable(wanted_ports(settings(otlp_grpc_port=free_port(), syslog_port=free_port())))


def test_two_settings_with_one_port_are_refused() -> None:
    port = free_port()

    with pytest.raises(PortUnusableError, match=f"ARGUX_PORT and OTLP_GRPC_PORT are both {port}"):
        require_usable(wanted_ports(settings(argux_port=port, otlp_grpc_port=port)))


@pytest.mark.parametrize("host", ["203.0.113.9", "nowhere.invalid"])
def test_a_host_that_is_not_this_machine_is_named(host: str) -> None:
    with pytest.raises(PortUnusableError, match=f"ARGUX_HOST={host} is no address of this machine"):
        require_usable(wanted_ports(settings(argux_host=host)))


@pytest.mark.parametrize("command", ["up", "web"])
def test_argux_on_a_taken_port_ends_at_once_with_one_line(
    run_argux: RunArgux, home: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("ARGUX_PORT", str(port))

        result = run_argux(command)

    assert (result.exit_code, result.stdout) == (78, "")
    assert f"Port {port} (web) is in use" in result.stderr
    assert not (home / "argux.db").exists(), "nothing was started"
