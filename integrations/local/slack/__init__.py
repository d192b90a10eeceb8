"""Slack, as far as a chat bot needs it: Web API, interactivity, slash commands, modals, files and Socket Mode."""
