"""The doors' readers: bytes in, records out. Nothing here does I/O or looks at a clock."""
