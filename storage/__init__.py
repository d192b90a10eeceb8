"""Everything Argux stores: incidents with their diagnoses and actions, telemetry, outbox, audit chain, API keys."""
