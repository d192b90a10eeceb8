"""The ingest doors: one module for each kind of sender, and what several of them share."""
