"""The door for OTLP over gRPC. It runs in the web process and takes the same records and keys as the HTTP doors.

The protocol: https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from bot.doors.otlp import LOGS, METRICS, TRACES, Signal, grpc_code
from bot.doors.own import PROTOBUF
from bot.errors import BotError, CutShortError
from bot.reception.receive import Reception

MESSAGE_BYTES = 4 * 1024 * 1024
"""The default of gRPC and of the OpenTelemetry collector. It limits a message before and after decompression."""

CALLS_PER_STORED_REQUEST = 16
"""How many calls may be open for each request that may be stored at the same time."""

_SERVICES: Mapping[str, Signal[Any]] = {
    "opentelemetry.proto.collector.trace.v1.TraceService": TRACES,
    "opentelemetry.proto.collector.logs.v1.LogsService": LOGS,
    "opentelemetry.proto.collector.metrics.v1.MetricsService": METRICS,
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GrpcDoor:
    """A gRPC server for `address`, such as "127.0.0.1:4317"; port 0 takes any free port. Start it in the event loop."""

    def __init__(self, reception: Reception, address: str) -> None:
        self._reception = reception
        self._address = address
        self._server: aio.Server | None = None

    async def start(self) -> int:
        """Start to listen and return the port. Raises RuntimeError if the address is in use."""
        limits = self._reception.gate.limits
        self._server = aio.server(
            # Far more than are stored at once, so that the gate refuses the excess: its refusals say when to retry,
            # those of gRPC do not.
            maximum_concurrent_rpcs=CALLS_PER_STORED_REQUEST * limits.requests_in_flight,
            options=[
                ("grpc.max_receive_message_length", min(MESSAGE_BYTES, limits.body_bytes)),
                ("grpc.so_reuseport", 0),
            ],
        )
        for name, signal in _SERVICES.items():
            handler: grpc.RpcMethodHandler[bytes, bytes] = grpc.stream_unary_rpc_method_handler(self._export(signal))
            self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
        try:
            port = self._server.add_insecure_port(self._address)
        except RuntimeError as error:
            raise RuntimeError(
                f"OTLP over gRPC cannot listen at {self._address}: set OTLP_GRPC_PORT to a port that is free"
            ) from error
        await self._server.start()
        return port

    async def stop(self, grace_seconds: float) -> None:
        """Refuse new calls and give running ones `grace_seconds` to finish."""
        if self._server is not None:
            await self._server.stop(grace_seconds)

    def _export(
        self, signal: Signal[Any]
    ) -> Callable[[AsyncIterator[bytes], aio.ServicerContext[bytes, bytes]], Awaitable[bytes]]:
        """Return the handler of a signal's Export call. It takes raw bytes, which the reception decodes in a thread.

        It is a stream handler, which on the wire equals a unary one: so the key is checked before the message is read.
        """

        async def export(messages: AsyncIterator[bytes], context: aio.ServicerContext[bytes, bytes]) -> bytes:
            secret = _secret(context.invocation_metadata() or ())
            read = partial(_first_message, messages)
            try:
                receipt = await self._reception.receive_message(read, signal.door, secret, PROTOBUF)
            except BotError as error:
                await _refuse(context, error)
            return signal.answer(receipt.rejections, PROTOBUF)

        return export


async def _first_message(messages: AsyncIterator[bytes]) -> bytes:
    async for message in messages:
        return message
    raise CutShortError("The call ended before its message.")


def _secret(metadata: Iterable[tuple[str, str | bytes]]) -> str | None:
    """Return the key of `authorization: Bearer …` or `x-api-key: …`, or None."""
    found = {name: value for name, value in metadata if isinstance(value, str)}
    scheme, _, credentials = found.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and credentials:
        return credentials.strip()
    return found.get("x-api-key")


async def _refuse(context: aio.ServicerContext[bytes, bytes], error: BotError) -> NoReturn:
    """Abort the call with the error; a retryable one carries a RetryInfo."""
    code = _CODES[grpc_code(error)]
    details = Status(code=code.value[0], message=error.message)
    if error.retry_after_seconds is not None:
        wait = AnyMessage()
        wait.Pack(RetryInfo(retry_delay=Duration(seconds=error.retry_after_seconds)))
        details.details.append(wait)
    trailing = [("grpc-status-details-bin", details.SerializeToString())]
    # OpenTelemetry's exporter for Python reads the RetryInfo from this key.
    trailing += [("google.rpc.retryinfo-bin", each.value) for each in details.details]
    await context.abort(code, error.message, tuple(trailing))
