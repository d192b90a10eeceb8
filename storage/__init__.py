"""What Argux keeps: incidents and their spine, telemetry, outbox, audit chain, keys, knowledge."""
