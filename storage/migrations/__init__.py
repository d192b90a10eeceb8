"""Alembic's revisions, run by `storage.session.migrate`."""
