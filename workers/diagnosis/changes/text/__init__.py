"""What stands in a diff: blocks of lines without comments, names, numbers with units, settings, calls, loops."""
