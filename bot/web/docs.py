"""The pages /docs and /redoc. Argux serves their scripts itself, so they work without internet access."""

from __future__ import annotations

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, HTTPException
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse

router = APIRouter(include_in_schema=False)

SPECIFICATION = "/openapi.json"
ASSETS = "/docs/assets"


@router.get(f"{ASSETS}/{{name}}")
async def asset(name: str) -> FileResponse:
    """Serve a script or stylesheet of Swagger UI or ReDoc from the fastapi-offline package."""
    files = {file.name: file for file in (Path(fastapi_offline.__file__).parent / "static").iterdir()}
    if name not in files:
        raise HTTPException(404, f"There is no asset {name}.")
    return FileResponse(files[name])


@router.get("/docs")
async def swagger() -> HTMLResponse:
    """Serve Swagger UI, in which the routes can be tried out."""
    return get_swagger_ui_html(
        openapi_url=SPECIFICATION,
        title="Argux",
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS}/favicon.png",
    )


@router.get("/redoc")
async def redoc() -> HTMLResponse:
    """Serve ReDoc, the reference of all routes."""
    return get_redoc_html(
        openapi_url=SPECIFICATION,
        title="Argux",
        redoc_js_url=f"{ASSETS}/redoc.standalone.js",
        redoc_favicon_url=f"{ASSETS}/favicon.png",
        with_google_fonts=False,
    )
