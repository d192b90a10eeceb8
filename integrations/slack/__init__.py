"""Slack: the chat channel."""

from integrations.slack.client import SlackChannel

__all__ = ["SlackChannel"]
