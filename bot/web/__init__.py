"""The web process: the FastAPI application, its documentation pages, health routes and server."""
