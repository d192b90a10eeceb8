"""A broker that cannot be used is refused before anything starts: what is wrong, and how to mend it."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from bot.setup.broker import NAME, BrokerUnusableError, require_broker
from tests.ports import free_port
from tests.unit.bot.conftest import RunArgux
from tests.valkey import Valkey, running_valkey


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with running_valkey(tmp_path_factory.mktemp("broker")) as running:
        yield running


@contextmanager
def answering(line: bytes) -> Iterator[int]:
    """Listen, and answer every command with one line; with none, hang up. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection, suppress(ConnectionResetError):
                    while line and (asked := connection.recv(4096)):
                        # A command begins with the number of its parts, such as *3.
                        connection.sendall(line * max(1, len(re.findall(rb"\*\d+\r\n", asked))))

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def refused(url: str) -> str:
    with pytest.raises(BrokerUnusableError) as caught:
        require_broker(url)
    return str(caught.value)


def test_a_broker_that_takes_writes_is_used_and_keeps_nothing_of_the_question(valkey: Valkey) -> None:
    require_broker(valkey.url)

    assert 0 < redis.Redis.from_url(valkey.url).pttl(NAME) <= 1000


def test_a_port_where_nothing_listens_is_told() -> None:
    assert "Nothing listens" in refused(f"redis://127.0.0.1:{free_port()}/0")


def test_a_socket_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "Nothing listens" in refused(f"unix://{tmp_path / 'nothing.sock'}")


def test_a_host_that_nobody_knows_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert "host name" in refused("redis://no-such-host:6379/0")


def test_a_host_that_never_answers_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.setup.broker.ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert "gives no answer" in refused(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")


def test_a_wrong_password_is_told_and_not_shown(valkey: Valkey) -> None:
    client = redis.Redis.from_url(valkey.url)
    client.config_set("requirepass", "right")
    try:
        for part in (":wr0ng@", ""):
            text = refused(valkey.url.replace("redis://", f"redis://{part}"))
            assert "refuses the password" in text
            assert "wr0ng" not in text
    finally:
        redis.Redis.from_url(valkey.url.replace("redis://", "redis://:right@")).config_set("requirepass", "")


def test_a_number_of_a_database_that_is_not_there_is_told(valkey: Valkey) -> None:
    assert "no database of that number" in refused(f"{valkey.url[:-1]}99")


def test_a_user_without_rights_is_told(valkey: Valkey) -> None:
    client = redis.Redis.from_url(valkey.url)
    client.acl_setuser("reader", enabled=True, passwords=["+pw"], keys=["*"], commands=["+get", "+hello", "+client"])

    assert "may not write" in refused(valkey.url.replace("redis://", "redis://reader:pw@"))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "is no Redis"),
        (b"-READONLY You can't write against a read only replica.\r\n", "replica"),
        (b"-OOM command not allowed when used memory > 'maxmemory'.\r\n", "memory or its disk is full"),
        (b"-MISCONF Redis is configured to save RDB snapshots, but unable to persist\r\n", "its disk is full"),
        (b"", "does not answer"),
    ],
)
def test_what_answers_and_is_of_no_use_is_told_apart(line: bytes, words: str) -> None:
    with answering(line) as port:
        assert words in refused(f"redis://127.0.0.1:{port}/0")


def test_a_server_that_speaks_no_tls_is_told(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.setup.broker.ANSWER_SECONDS", 0.2)

    assert "write redis://, not rediss://" in refused(valkey.url.replace("redis://", "rediss://"))
    with answering(b"-ERR unknown command\r\n") as port:
        assert "speaks no TLS" in refused(f"rediss://127.0.0.1:{port}/0")


def test_a_server_that_reads_its_data_back_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.setup.broker.LOADING_SECONDS", 0.0)
    with answering(b"-LOADING Redis is loading the dataset in memory\r\n") as port:
        text = refused(f"redis://127.0.0.1:{port}/0")

    assert "has read its data" in text


def test_argux_up_ends_with_one_line_before_anything_starts(
    run_argux: RunArgux, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGUX_PORT", str(free_port()))
    monkeypatch.setenv("REDIS_URL", f"redis://:secret@127.0.0.1:{free_port()}/0")

    result = run_argux("up")

    assert (result.exit_code, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert "Nothing listens where the broker should. Check host and port in REDIS_URL" in line
    assert "secret" not in line
    assert list(home.iterdir()) == []
