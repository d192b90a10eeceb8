"""Microsoft Teams: the escalation channel."""

from integrations.teams.client import TeamsWebhook

__all__ = ["TeamsWebhook"]
