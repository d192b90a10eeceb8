"""The routes of an application or a router with their whole paths, those of the routers inside included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute


@dataclass(frozen=True, order=True)
class Address:
    """One method of one path. query: the names of its query parameters. does: the name of the function behind it."""

    method: str
    path: str
    query: tuple[str, ...] = ()
    does: str = ""


def addresses(routes: Sequence[BaseRoute]) -> list[Address]:
    """Return every method of every path, in order. HEAD is left out."""
    return sorted(
        Address(method, route.path, _query(route), getattr(route.endpoint, "__name__", ""))
        for route in iter_route_contexts(routes)
        if route.path is not None
        for method in route.methods or ()
        if method != "HEAD"
    )


def _query(route: RouteContext) -> tuple[str, ...]:
    dependant = getattr(route, "dependant", None)
    return tuple(one.alias for one in dependant.query_params) if dependant is not None else ()
