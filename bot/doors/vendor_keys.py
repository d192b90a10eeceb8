"""The vendor-specific headers and parameters in which clients send their API key."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated

from fastapi import Depends, Request

from bot.doors.own import Secret

_SENTRY_KEY = re.compile(r"(?:^|[\s,])sentry_key=([^,\s]+)")


def _datadog_key(request: Request, secret: Secret) -> str | None:
    return request.headers.get("dd-api-key") or secret


def _firehose_key(request: Request, secret: Secret) -> str | None:
    return request.headers.get("x-amz-firehose-access-key") or secret


def _sentry_key(request: Request, secret: Secret) -> str | None:
    """Return the DSN's public key: from X-Sentry-Auth, or from the query string, where browsers put it."""
    found = _SENTRY_KEY.search(request.headers.get("x-sentry-auth", ""))
    return found.group(1) if found else request.query_params.get("sentry_key") or secret


def _elastic_key(request: Request, secret: Secret) -> str | None:
    """Return the key of `Authorization: ApiKey KEY`, where KEY may also be base64 of `id:KEY`."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "apikey":
        return secret
    try:
        _, _, key = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        key = ""
    return key or given.strip() or None


DatadogKey = Annotated[str | None, Depends(_datadog_key)]
FirehoseKey = Annotated[str | None, Depends(_firehose_key)]
SentryKey = Annotated[str | None, Depends(_sentry_key)]
ElasticKey = Annotated[str | None, Depends(_elastic_key)]
