"""Validate Block Kit blocks and views as strictly as Slack does."""
