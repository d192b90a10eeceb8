"""Microsoft Teams: where more people are called."""

from integrations.teams.client import TeamsWebhook

__all__ = ["TeamsWebhook"]
