"""The ports that Argux listens on: are they free, and if not, who holds them and how to choose others."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from bot.setup.port_holder import holder
from workers.settings import Settings


class PortUnusableError(Exception):
    """Argux cannot listen where it is told to; the text names the port, what holds it, and the setting to change."""


@dataclass(frozen=True, slots=True)
class WantedPort:
    """A port to listen on. `setting` chooses it, `host_setting` its address; `purpose` says what for."""

    host: str
    port: int
    setting: str
    purpose: str
    host_setting: str = "ARGUX_HOST"
    is_datagram: bool = False
    advice: str = ""


def wanted_ports(settings: Settings) -> list[WantedPort]:
    """Return every port that the web process listens on with these settings."""
    host = settings.argux_host
    wanted = [WantedPort(host, settings.argux_port, "ARGUX_PORT", "web")]
    if settings.otlp_grpc_port is not None:
        wanted.append(WantedPort(host, settings.otlp_grpc_port, "OTLP_GRPC_PORT", "OTLP over gRPC"))
    if settings.syslog_port is not None:
        at = settings.syslog_host or host
        chosen_by = "SYSLOG_HOST" if settings.syslog_host else "ARGUX_HOST"
        wanted += [
            WantedPort(at, settings.syslog_port, "SYSLOG_PORT", "syslog over TCP", chosen_by),
            WantedPort(at, settings.syslog_port, "SYSLOG_PORT", "syslog over UDP", chosen_by, is_datagram=True),
        ]
    return wanted


def require_usable(wanted: Sequence[WantedPort]) -> None:
    """Raise PortUnusableError for the first port that Argux cannot listen on."""
    taken: dict[tuple[int, bool], WantedPort] = {}
    for each in wanted:
        other = taken.setdefault((each.port, each.is_datagram), each)
        if other is not each:
            raise PortUnusableError(f"{other.setting} and {each.setting} are both {each.port}: give each its own port.")
        try:
            _try_to_bind(each)
        except OSError as error:
            raise PortUnusableError(_explained(each, error)) from error


def _try_to_bind(wanted: WantedPort) -> None:
    """Bind as a server does, and let go at once. Raises OSError.

    A name such as localhost may be an address of IPv4 and one of IPv6, and a server listens on both.
    """
    kind = socket.SOCK_DGRAM if wanted.is_datagram else socket.SOCK_STREAM
    found = socket.getaddrinfo(wanted.host, wanted.port, type=kind, flags=socket.AI_PASSIVE)
    for family, address in dict.fromkeys((each[0], each[4]) for each in found):
        try:
            probe = socket.socket(family, kind)
        except OSError:
            # This machine has no such family of addresses: a server leaves it out.
            continue
        with probe:
            if not wanted.is_datagram:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind(address)


def _explained(wanted: WantedPort, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        found = holder(wanted.port, is_datagram=wanted.is_datagram)
        held = f" by {found}" if found else ""
        return (
            f"Port {wanted.port} ({wanted.purpose}) is in use{held}. Stop what listens there, or choose another port "
            f"with {wanted.setting}, such as {wanted.setting}={wanted.port + 10 if wanted.port < 65000 else 8765}."
            f"{wanted.advice}"
        )
    if error.errno == errno.EACCES:
        return (
            f"Argux may not listen on port {wanted.port} ({wanted.purpose}): the system keeps low ports for "
            f"administrators. Choose one above 1023 with {wanted.setting}.{wanted.advice}"
        )
    return f"{wanted.host_setting}={wanted.host} is no address of this machine. 127.0.0.1 is heard from here alone."
