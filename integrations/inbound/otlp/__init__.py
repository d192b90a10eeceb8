"""OpenTelemetry: traces, logs and metrics, as protobuf and as JSON."""
