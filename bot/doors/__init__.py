"""The ingest doors: one module per kind of sender, and the modules that several of them share."""
