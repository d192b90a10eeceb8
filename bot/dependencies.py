"""What a web process keeps for its routes."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from workers.services import Services


def services_of(request: Request) -> Services:
    """The parts that this web process was wired with."""
    services: Services = request.app.state.services
    return services


Wired = Annotated[Services, Depends(services_of)]
