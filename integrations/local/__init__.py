"""The local workspace: a small Slack-, GitHub-, Jira- and Teams-speaking server with a page to read and press on.

The real clients (slack_bolt, slack_sdk, PyGithub, jira, httpx) run against it unchanged: it checks tokens and
signatures, refuses what the real services refuse, and keeps its pull requests in real git repositories. It is for
one machine: it listens on loopback, and whoever opens its page may act as any of its people.
"""
