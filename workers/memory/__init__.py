"""What a worker keeps between ticks, so that a tick reads only what is new."""
