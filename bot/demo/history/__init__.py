"""The shop's past week: its visits, its earlier deploys, and their import into Argux."""
