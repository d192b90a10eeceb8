"""Handle what people do in chat: buttons, slash commands, snoozes, tickets and escalations."""
