"""The local workspace: one small server that emulates Slack, GitHub, Jira and Teams, with a page for people.

The real clients (slack_bolt, slack_sdk, PyGithub, jira, httpx) work against it unchanged. It checks tokens, and Slack's
requests to the app are signed. It refuses what the real services refuse and keeps pull requests in real git
repositories. It is for use on one machine: it listens on loopback, and anyone who opens its page may act as any user.
"""
