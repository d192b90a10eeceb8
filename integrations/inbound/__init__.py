"""The doors' readers: they turn bytes into records. They do no I/O and never read the clock."""
