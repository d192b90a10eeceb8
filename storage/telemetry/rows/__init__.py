"""The tables, and records as rows of them."""
