"""Alembic's revisions, run by `storage.database.session.migrate`."""
