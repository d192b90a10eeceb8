"""Jira Cloud's REST API, versions 2 and 3, as far as filing and following a ticket needs it."""
