"""The pages /docs and /redoc, which say what is wrong where their scripts cannot be loaded."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import HTMLResponse

router = APIRouter(include_in_schema=False)

SPECIFICATION = "/openapi.json"

OFFLINE = (
    '<p style="font-family: sans-serif; padding: 2em">This page draws itself with a script from cdn.jsdelivr.net, '
    f'which has not been loaded (yet). The whole description is at <a href="{SPECIFICATION}">{SPECIFICATION}</a>.</p>'
)


def _with_notice(page: HTMLResponse, opening: str) -> HTMLResponse:
    """Put the notice where the script will draw, so that it goes away when the script works."""
    html = bytes(page.body).decode()
    return HTMLResponse(html.replace(opening, opening + OFFLINE, 1))


@router.get("/docs")
async def swagger() -> HTMLResponse:
    """Every route, to be tried out."""
    return _with_notice(get_swagger_ui_html(openapi_url=SPECIFICATION, title="Argux"), '<div id="swagger-ui">')


@router.get("/redoc")
async def redoc() -> HTMLResponse:
    """Every route, to be read."""
    page = get_redoc_html(openapi_url=SPECIFICATION, title="Argux", with_google_fonts=False)
    return _with_notice(page, f'<redoc spec-url="{SPECIFICATION}">')
