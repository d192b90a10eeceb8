"""OTLP over gRPC: what is stored, what is refused, and how the server stops."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse

from bot.auth import KeyRing
from bot.doors.otlp_grpc import MESSAGE_BYTES, GrpcDoor
from bot.reception.gate import Limits
from bot.reception.prometheus import Metrics
from bot.reception.receive import Reception
from detection.types import LogRecord
from storage.telemetry.protocol import Appended, TelemetryStore
from workers.services import Services

NOON = 1_770_465_600
EXPORT = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


def logs(*bodies: str, at: int = NOON) -> bytes:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for body in bodies:
        scope.log_records.add(time_unix_nano=at * 10**9).body.string_value = body
    return request.SerializeToString()


class Running:
    """A gRPC door and a client channel to it."""

    def __init__(self, services: Services, limits: Limits) -> None:
        self.reception = Reception(services, KeyRing(services.readers), Metrics(), limits)
        self.door = GrpcDoor(self.reception, "127.0.0.1:0")

    async def start(self) -> None:
        self.address = f"127.0.0.1:{await self.door.start()}"
        self.channel = aio.insecure_channel(self.address, options=[("grpc.max_send_message_length", -1)])

    async def export(self, body: bytes, key: str | None, **more: Any) -> ExportLogsServiceResponse:
        metadata = (("authorization", f"Bearer {key}"),) if key else ()
        call: aio.UnaryUnaryMultiCallable[bytes, bytes] = self.channel.unary_unary(EXPORT)
        return ExportLogsServiceResponse.FromString(await call(body, metadata=metadata, timeout=60, **more))

    async def refusal(self, body: bytes, key: str | None, **more: Any) -> aio.AioRpcError:
        with pytest.raises(aio.AioRpcError) as caught:
            await self.export(body, key, **more)
        return caught.value


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
async def running(services: Services, limits: Limits) -> AsyncIterator[Running]:
    found = Running(services, limits)
    await found.start()
    yield found
    await found.channel.close()
    await found.door.stop(1)


@pytest.fixture
def key(sender: dict[str, str]) -> str:
    return sender["Authorization"].removeprefix("Bearer ")


async def test_records_are_stored_once_and_rejections_are_reported(
    running: Running, services: Services, key: str
) -> None:
    assert await running.export(logs("refused"), key) == ExportLogsServiceResponse()
    await running.export(logs("refused"), key)
    partial = (await running.export(logs("fine") + logs("late", at=4_000_000_000), key)).partial_success
    assert partial.rejected_log_records == 1
    assert [record.body for record in services.telemetry.log_samples(since=NOON, until=NOON + 1)] == ["fine", "refused"]


async def test_without_a_good_key_nothing_is_stored(running: Running, services: Services) -> None:
    for key in (None, "argux_wrong"):
        assert (await running.refusal(logs("refused"), key)).code() is grpc.StatusCode.UNAUTHENTICATED
    assert services.telemetry.log_samples(since=NOON, until=NOON + 1) == []


async def test_garbage_is_an_invalid_argument(running: Running, key: str) -> None:
    error = await running.refusal(b"\xff\xff", key)
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "not a protobuf" in str(error.details())


async def test_a_line_with_invalid_utf_8_is_stored_beside_the_valid_one(
    running: Running, services: Services, key: str
) -> None:
    answer = await running.export(logs("cafe").replace(b"cafe", b"caf\xe9") + logs("fine"), key)
    assert answer == ExportLogsServiceResponse()
    bodies = {record.body for record in services.telemetry.log_samples(since=NOON, until=NOON + 1)}
    assert bodies == {"caf\ufffd", "fine"}


async def test_a_message_too_large_before_or_after_decompression_is_refused(running: Running, key: str) -> None:
    large = logs("x" * (MESSAGE_BYTES + 1))
    assert len(gzip.compress(large)) < 10_000
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        error = await running.refusal(large, key, compression=compression)
        assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


class TestWithFewBytesInFlight:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(bytes_in_flight=10)

    async def test_refuses_with_a_retry_delay(self, running: Running, key: str) -> None:
        error = await running.refusal(logs("refused"), key)
        assert error.code() is grpc.StatusCode.UNAVAILABLE
        trailing = dict(error.trailing_metadata() or ())
        status, wait = Status.FromString(trailing["grpc-status-details-bin"]), RetryInfo()
        assert status.details[0].Unpack(wait)
        assert wait.retry_delay.seconds == 1


class TestWithOneRequestInFlight:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(requests_in_flight=1)

    async def test_calls_over_the_limit_are_refused_with_a_retryable_status(
        self, running: Running, services: Services, key: str
    ) -> None:
        slow = SlowStore(services.telemetry)
        services.telemetry = slow  # type: ignore[assignment]
        stored = asyncio.create_task(running.export(logs("first"), key))
        assert await asyncio.to_thread(slow.begun.wait, 60)
        refusals = await asyncio.gather(*(running.refusal(logs("more"), key) for _ in range(10)))
        slow.go_on.set()
        await stored
        for error in refusals:
            assert error.code() is grpc.StatusCode.UNAVAILABLE
            assert "google.rpc.retryinfo-bin" in dict(error.trailing_metadata() or ())
        assert running.reception.metrics.rejected.labels("otlp_logs", "busy")._value.get() == 10


class TestWithOneRequestInFlightAndShortPauses:
    @pytest.fixture
    def limits(self) -> Limits:
        # Long enough that a message that was sent arrives in time even on a busy machine.
        return Limits(requests_in_flight=1, pause_seconds=2.0)

    async def test_calls_without_a_message_time_out_and_do_not_block_others(self, running: Running, key: str) -> None:
        metadata = (("authorization", f"Bearer {key}"),)
        silent: list[aio.StreamUnaryCall[bytes, bytes]] = [
            running.channel.stream_unary(EXPORT)(metadata=metadata, timeout=60) for _ in range(4)
        ]
        await running.export(logs("heard"), key)
        assert {await call.code() for call in silent} == {grpc.StatusCode.DEADLINE_EXCEEDED}
        assert running.reception.metrics.rejected.labels("otlp_logs", "too_slow")._value.get() == 4

    async def test_a_call_without_a_key_is_refused_before_its_message(self, running: Running) -> None:
        call: aio.StreamUnaryCall[bytes, bytes] = running.channel.stream_unary(EXPORT)(timeout=60)
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_an_address_in_use_is_an_error_at_the_start(running: Running) -> None:
    other = GrpcDoor(running.reception, running.address)
    with pytest.raises(RuntimeError, match=f"{running.address}: set OTLP_GRPC_PORT"):
        await other.start()
    await other.stop(0)


class SlowStore:
    """A store in which appending log records waits for `go_on`."""

    def __init__(self, store: TelemetryStore) -> None:
        self._store = store
        self.begun, self.go_on = threading.Event(), threading.Event()

    def append_logs(self, records: Sequence[LogRecord]) -> Appended:
        self.begun.set()
        assert self.go_on.wait(60)
        return self._store.append_logs(records)


async def test_a_call_under_way_is_answered_before_the_door_closes(
    running: Running, services: Services, key: str
) -> None:
    store = services.telemetry
    slow = SlowStore(store)
    services.telemetry = slow  # type: ignore[assignment]
    call = asyncio.create_task(running.export(logs("refused"), key))
    assert await asyncio.to_thread(slow.begun.wait, 60)
    closing = asyncio.create_task(running.door.stop(60))
    slow.go_on.set()

    assert await call == ExportLogsServiceResponse()
    await closing
    assert len(store.log_samples(since=NOON, until=NOON + 1)) == 1
    assert (await running.refusal(logs("late"), key)).code() is grpc.StatusCode.UNAVAILABLE
