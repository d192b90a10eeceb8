"""The shop's telemetry: traces and warnings over OpenTelemetry, product events over PostHog."""

from __future__ import annotations

import logging
import os

from fastapi import FastAPI
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.sqlite3 import SQLite3Instrumentor
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from posthog import Posthog

SEND_EVERY_MS = 1000


class Telemetry:
    """The stock clients, configured by their own environment variables."""

    def __init__(self) -> None:
        self._traces = TracerProvider()
        self._traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(), schedule_delay_millis=SEND_EVERY_MS))
        self._logs = LoggerProvider()
        self._logs.add_log_record_processor(
            BatchLogRecordProcessor(OTLPLogExporter(), schedule_delay_millis=SEND_EVERY_MS)
        )
        self._events = Posthog(
            os.environ["POSTHOG_API_KEY"], host=os.environ["POSTHOG_HOST"], flush_interval=SEND_EVERY_MS / 1000
        )

    def watch(self, app: FastAPI) -> None:
        """Trace requests and queries, and export the shop's log records from WARNING up."""
        SQLite3Instrumentor().instrument(tracer_provider=self._traces)
        FastAPIInstrumentor.instrument_app(
            app, tracer_provider=self._traces, excluded_urls="healthz", exclude_spans=["receive", "send"]
        )
        logging.getLogger("shop").addHandler(LoggingHandler(logging.WARNING, self._logs))

    def track(self, event: str, user_id: str, **properties: str | int) -> None:
        """Send one product event."""
        self._events.capture(event, distinct_id=user_id, properties=properties)

    def stop(self) -> None:
        """Send everything that is still buffered, then stop."""
        self._traces.shutdown()
        self._logs.shutdown()
        self._events.shutdown()
