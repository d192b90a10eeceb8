"""How a failure spread, as one line."""

from __future__ import annotations

from detection.chain import chain_line
from storage.models import Diagnosis
from workers.words.text import quoted

LONGEST_CHAIN = 300


def spread(diagnosis: Diagnosis) -> str:
    """Return such as "cart-db → cart → checkout"; empty if the failure is not known to have spread."""
    chain = diagnosis.checkpoints.get("confirm", {}).get("chain") or {}
    path = [(link["source"], link["target"]) for link in chain.get("links", ())]
    if not path:
        return ""
    return quoted(chain_line(chain.get("origin"), path, chain.get("victims", ())), LONGEST_CHAIN)
