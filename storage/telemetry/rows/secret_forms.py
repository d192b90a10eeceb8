"""Secrets that are known by their own form: keys of well-known services, JWTs, private keys, passwords in URLs.

A form is tried only on texts that hold one of its marks, because nearly no line holds any.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

HIDDEN = "[redacted]"


@dataclass(frozen=True, slots=True)
class Form:
    """One form of secrets. marks: in lower case; a text without any of them holds no such secret.

    pattern: its groups `before` and `after` stay, the rest is hidden.
    """

    marks: tuple[str, ...]
    pattern: re.Pattern[str]

    def hidden_in(self, text: str) -> str:
        """Return the text without the secrets of this form."""
        return self.pattern.sub(_hidden, text)


def _hidden(found: re.Match[str]) -> str:
    named = found.groupdict()
    return f"{named.get('before') or ''}{HIDDEN}{named.get('after') or ''}"


_BEGINS = r"(?<![A-Za-z0-9])"

FORMS: Sequence[Form] = (
    Form(
        ("private key",),
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.S,
        ),
    ),
    Form(("eyj",), re.compile(r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*){0,3}")),
    Form(("akia", "asia"), re.compile(_BEGINS + r"A(?:KIA|SIA)[A-Z0-9]{16}(?![A-Za-z0-9])")),
    Form(
        ("xox", "xapp-", "hooks.slack.com/", "/api/webhooks/"),
        re.compile(
            r"xox[a-z]-[\w-]{8,}|xapp-[\w-]{8,}"
            r"|(?P<before>hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/webhooks/)[\w/-]+"
        ),
    ),
    Form(
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "gldt-", "glrt-", "npm_", "pypi-", "atatt3"),
        re.compile(
            _BEGINS + r"(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{16,}|gl(?:pat|dt|rt)-[\w-]{16,}"
            r"|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|ATATT3[\w=-]{20,})"
        ),
    ),
    Form(
        ("sk_", "rk_", "whsec_", "sk-", "shpat_", "shpss_", "shpca_", "sq0", "key-", "sg."),
        re.compile(
            _BEGINS + r"(?:[sr]k_(?:live|test)_\w{8,}|whsec_[\w+/=]{16,}|sk-(?=[\w-]*\d)[\w-]{20,}"
            r"|shp(?:at|ss|ca)_[0-9a-fA-F]{16,}|sq0(?:atp|csp)-[\w-]{20,}|key-[0-9a-f]{32}|SG\.[\w-]{16,}\.[\w-]{16,})"
        ),
    ),
    Form(
        ("aiza", "ya29.", "gocspx-", "hvs.", "dop_v1_", "glsa_", "glc_", "nrak-", "sntrys_", "lin_api_", "dapi", "hf_",
         "xai-", "gsk_", "age-secret-key-"),
        re.compile(
            _BEGINS + r"(?:AIza[\w-]{35}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{16,}|hvs\.[\w-]{20,}|dop_v1_[0-9a-f]{32,}"
            r"|glsa_\w{20,}|glc_[\w+/=]{20,}|NRAK-[A-Z0-9]{20,}|sntrys_[\w+/=]{20,}|lin_api_\w{20,}|dapi[0-9a-f]{32}"
            r"|hf_[A-Za-z0-9]{30,}|xai-\w{30,}|gsk_\w{30,}|AGE-SECRET-KEY-[A-Z0-9]{20,})"
        ),
    ),
    Form(("bot",), re.compile(r"(?P<before>\bbot)\d{8,10}:[\w-]{35}(?![\w-])")),
    Form(
        ("://",),
        re.compile(r"(?P<before>://[^\s/:@\"'?#<>]{0,200}:)(?!\[redacted\])[^\s/\"'<>]{1,500}(?P<after>@)"),
    ),
    Form(
        ("@tcp(", "@unix("),
        re.compile(r"(?P<before>(?<![\w.-])[\w.-]{1,100}:)[^\s\"'@]{1,200}(?P<after>@(?:tcp|unix)\()"),
    ),
)  # fmt: skip
"""AWS, Slack, Discord, GitHub, GitLab, npm, PyPI, Atlassian, Stripe, OpenAI and its like, Shopify, Square, Mailgun,
SendGrid, Google, Vault, DigitalOcean, Grafana, New Relic, Sentry, Linear, Databricks, Telegram; URLs and Go's DSNs."""


def forms_in(together: str) -> Sequence[Form]:
    """Return the forms of which a text, in lower case, may hold secrets; for most texts none."""
    return [form for form in FORMS if any(mark in together for mark in form.marks)]
