"""The parts of Slack that a chat bot needs: Web API, interactivity, slash commands, modals, files and Socket Mode."""
