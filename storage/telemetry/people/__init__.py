"""Which ids are one person's."""
