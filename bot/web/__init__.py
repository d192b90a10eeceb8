"""The web process: the application put together, its documentation, health and server."""
