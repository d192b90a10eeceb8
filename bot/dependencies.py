"""FastAPI dependencies shared by the routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from workers.services import Services


def services_of(request: Request) -> Services:
    """Return the services that this web process was created with."""
    services: Services = request.app.state.services
    return services


InjectedServices = Annotated[Services, Depends(services_of)]
