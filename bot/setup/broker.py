"""Before the start: does the Redis or Valkey of REDIS_URL answer and take writes, and if not, how to mend it."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    InvalidResponse,
    NoPermissionError,
    OutOfMemoryError,
    ReadOnlyError,
)
from redis.retry import Retry

ANSWER_SECONDS = 3.0
LOADING_SECONDS = 60.0
"""How long a server may take that reads its data back from the disk."""

NAME = "argux:start"

_NO_ANSWER = (
    "Check host and port in REDIS_URL, and that Redis or Valkey runs there; without REDIS_URL, `argux up` starts one "
    "of its own."
)
_NO_TLS = "If it has no TLS, write redis://, not rediss://, in REDIS_URL."


class BrokerUnusableError(Exception):
    """The broker cannot be used as it is set; the text says why and how to mend it, and holds no password."""


def require_broker(url: str) -> None:
    """Write a name that is gone after a second. Raises BrokerUnusableError if the broker does not take it in time."""
    client = redis.Redis.from_url(
        url,
        socket_connect_timeout=ANSWER_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        _write(client)
    except (redis.RedisError, OSError) as error:
        raise BrokerUnusableError(_explained(error, is_encrypted=url.startswith("rediss"))) from error
    finally:
        client.close()


def _write(client: redis.Redis) -> None:
    deadline = time.monotonic() + LOADING_SECONDS
    while True:
        try:
            client.set(NAME, "1", px=1000)
        except BusyLoadingError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def _explained(error: Exception, *, is_encrypted: bool) -> str:
    text = str(error)
    if isinstance(error, AuthenticationError) or text.startswith(("WRONGPASS", "NOAUTH")):
        return "The broker refuses the password. Write it into REDIS_URL: redis://:PASSWORD@HOST:6379/0."
    if isinstance(error, NoPermissionError) or text.startswith("NOPERM"):
        return "The broker's user in REDIS_URL may not write. Give it all commands and keys (ACL SETUSER … +@all ~*)."
    if isinstance(error, ReadOnlyError):
        return "The broker that REDIS_URL names is a replica, which takes no writes. Name its primary."
    if isinstance(error, OutOfMemoryError) or text.startswith("MISCONF"):
        return "The broker takes no writes: its memory or its disk is full. Make room there."
    if isinstance(error, BusyLoadingError):
        return f"The broker has read its data for {LOADING_SECONDS:.0f} s and is not done. Try again later."
    if "index is out of range" in text:
        return "The broker has no database of that number. Correct the end of REDIS_URL, such as redis://HOST:6379/0."
    if isinstance(error, InvalidResponse) or "Protocol Error" in text:
        return f"What listens where REDIS_URL points is no Redis. {_NO_ANSWER}"
    return _explained_connection(error, is_encrypted=is_encrypted)


def _explained_connection(error: Exception, *, is_encrypted: bool) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"No machine is known by the broker's host name. {_NO_ANSWER}"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"The broker speaks no TLS, or its certificate is not trusted here. {_NO_TLS}"
    if any(isinstance(cause, redis.TimeoutError | TimeoutError) for cause in causes):
        # A server without TLS waits in silence for the end of what it takes for a command.
        advice = f"{_NO_TLS} {_NO_ANSWER}" if is_encrypted else _NO_ANSWER
        return f"The broker gives no answer within {ANSWER_SECONDS:.0f} s. {advice}"
    if any(isinstance(cause, ConnectionRefusedError | FileNotFoundError) for cause in causes):
        return f"Nothing listens where the broker should. {_NO_ANSWER}"
    return f"The broker does not answer ({type(error).__name__}). {_NO_ANSWER}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it came from; the library raises its own in their place."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__
