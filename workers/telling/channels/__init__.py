"""The channels: one pace for each, what keeps one from taking messages, a message to one person."""
