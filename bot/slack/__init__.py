"""The Slack app: it hands commands, clicks and dialogs to the workers."""
