"""The implementations of the `argux` commands. Their Typer groups are in `groups`."""
