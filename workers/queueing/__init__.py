"""The broker and its queues."""
