"""The groups of the `argux` command, a module each."""
