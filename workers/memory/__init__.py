"""What a worker process remembers between ticks, so that a tick reads only new data."""
