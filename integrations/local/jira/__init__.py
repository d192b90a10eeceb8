"""Jira Cloud's REST API, versions 2 and 3: what is needed to create, find and change tickets."""
