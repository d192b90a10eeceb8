"""The one guard for addresses that come from outside: where Argux may post to, and that it reaches nothing else.

A response URL, a webhook or a certificate's address could name a machine of our own network, directly, by an odd
spelling, by a name that resolves to it, or by a redirect. So an address must be plain https to a public host, names are
resolved once, and the connection goes to the very address that was checked. Redirects are never followed.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Collection
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from integrations.errors import RejectedError, RetryableError
from integrations.http import unreachable

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_GLOBAL_IPV6 = ipaddress.ip_network("2000::/3")
"""All of IPv6 that is given out for the Internet; outside of it are the many ways to wrap an IPv4 address."""

_PRINTABLE = re.compile(r"[!-\[\]-~]+")
_PORTS = {"http": 80, "https": 443}

Resolve = Callable[[str, int], list[str]]
"""Returns the IP addresses of a host name. Raises OSError."""


def resolve_name(host: str, port: int) -> list[str]:
    """Ask the system for the addresses of a name."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def check_outbound_url(system: str, url: str, *, hosts: Collection[str] = (), local: str = "") -> str:
    """Return the URL if it may be posted to: https to a public host, or http(s) to this machine's loopback address.

    hosts: the only hosts that are allowed, on https's own port. local: with `hosts`, a loopback address is allowed only
    at the origin of this URL, such as that of a local workspace. Raises RejectedError. Names are not resolved here.
    """
    parts = _split(system, url)
    host = parts.hostname or ""
    if is_loopback(host) and parts.scheme in _PORTS:
        if hosts and _origin(parts) != _origin(urlsplit(local)):
            raise RejectedError(system, "the address points at this machine")
        return url
    if parts.scheme != "https" or not host:
        raise RejectedError(system, "the address must begin with https://")
    literal = _literal(host)
    if literal is None and (not _HOST.fullmatch(host) or _NUMBER.fullmatch(host.rpartition(".")[2])):
        raise RejectedError(system, "the address does not name a host in the plain way")
    if literal is not None and not is_public(host):
        raise RejectedError(system, "the address points into a private network")
    if hosts and (host not in hosts or parts.port not in (None, 443)):
        raise RejectedError(system, f"the address is not on {' or '.join(hosts)}")
    return url


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: `localhost`, or a loopback address in its usual spelling."""
    if host in ("localhost", "::1"):
        return True
    literal = _literal(host)
    return isinstance(literal, ipaddress.IPv4Address) and literal.is_loopback


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet, and does not wrap a private one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address) and (
        found not in _GLOBAL_IPV6 or found.sixtofour is not None or found.teredo is not None
    ):
        return False
    return found.is_global and not found.is_multicast


def pinned(
    system: str, url: str, *, resolve: Resolve = resolve_name
) -> tuple[httpx.URL, dict[str, str], dict[str, Any]]:
    """Return the URL with its host replaced by a checked address, and the headers and extensions for the request.

    The certificate is still checked against the host's name. Raises RejectedError when any of the host's addresses is
    private, RetryableError when the name cannot be resolved. Call it after check_outbound_url.
    """
    target = httpx.URL(url)
    host = target.host
    if is_loopback(host) or _literal(host) is not None:
        return target, {}, {}
    try:
        addresses = resolve(host, target.port or _PORTS[target.scheme])
    except OSError as error:
        raise unreachable(system, error) from error
    if not addresses or not all(is_public(address) for address in addresses):
        raise RejectedError(system, "the address points into a private network")
    return target.copy_with(host=addresses[0]), {"Host": target.netloc.decode()}, {"sni_hostname": host}


def post(
    system: str,
    url: str,
    body: object,
    *,
    timeout_seconds: float,
    hosts: Collection[str] = (),
    local: str = "",
    resolve: Resolve = resolve_name,
) -> httpx.Response:
    """Post JSON to an address that came from outside; return the answer, even a redirect. Raises IntegrationError."""
    target, headers, extensions = pinned(
        system, check_outbound_url(system, url, hosts=hosts, local=local), resolve=resolve
    )
    try:
        with httpx.Client(
            timeout=timeout_seconds, follow_redirects=False, trust_env=uses_proxies(target.host)
        ) as client:
            return client.post(target, json=body, headers=headers, extensions=extensions)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable(system, error) from error


def get(
    system: str, url: str, *, timeout_seconds: float, most_bytes: int, resolve: Resolve = resolve_name
) -> httpx.Response:
    """Get what an address that came from outside holds; a redirect is not followed. Raises IntegrationError.

    timeout_seconds: for connecting, and for each part of the answer; the whole may take thrice as long. most_bytes: a
    longer answer raises RejectedError.
    """
    target, headers, extensions = pinned(system, check_outbound_url(system, url), resolve=resolve)
    last = time.monotonic() + 3 * timeout_seconds
    body = bytearray()
    try:
        with (
            httpx.Client(
                timeout=timeout_seconds, follow_redirects=False, trust_env=uses_proxies(target.host)
            ) as client,
            client.stream("GET", target, headers=headers, extensions=extensions) as answer,
        ):
            for part in answer.iter_bytes():
                body += part
                if len(body) > most_bytes:
                    raise RejectedError(system, f"it answers with more than {most_bytes:,} bytes")
                if time.monotonic() > last:
                    raise RetryableError(system, f"it takes more than {3 * timeout_seconds:g} seconds to answer")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise unreachable(system, error) from error
    return httpx.Response(
        answer.status_code, headers={"Location": answer.headers.get("Location", "")}, content=bytes(body)
    )


def uses_proxies(host: str) -> bool:
    """Whether a request may go by a proxy that the environment names; what is on this machine never does.

    The proxy is told the address that was checked, not the name, so it reaches nothing else either.
    """
    return not is_loopback(host)


def _split(system: str, url: str) -> SplitResult:
    """Split a URL. Raises RejectedError for one that another parser might read in another way."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - reading it raises ValueError for a port that is no number
    except ValueError as error:
        raise RejectedError(system, "the address cannot be read") from error
    if url and (not _PRINTABLE.fullmatch(url) or "@" in parts.netloc):
        raise RejectedError(system, "the address is not spelt in the plain way")
    return parts


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
