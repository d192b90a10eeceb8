"""Convert between plain text and the Atlassian Document Format, which version 3 of the API uses for texts."""

from __future__ import annotations

from typing import Any

from integrations.local.jira.errors import JiraError


def to_document(text: str) -> dict[str, Any]:
    """Return a document with one paragraph for each line."""
    paragraphs = [
        {"type": "paragraph", "content": [{"type": "text", "text": line}] if line else []} for line in text.split("\n")
    ]
    return {"type": "doc", "version": 1, "content": paragraphs}


def from_document(document: object, field: str) -> str:
    """Return the text of a document, one line for each top-level block. Raises JiraError 400 for anything else."""
    if not isinstance(document, dict) or document.get("type") != "doc":
        raise JiraError(
            400, fields={field: "Operation value must be an Atlassian Document (see the Atlassian Document Format)"}
        )
    return "\n".join(_text(block) for block in document.get("content") or [])


def _text(node: object) -> str:
    if not isinstance(node, dict):
        return ""
    if node.get("type") == "text":
        return str(node.get("text", ""))
    if node.get("type") == "hardBreak":
        return "\n"
    separator = "\n" if node.get("type") in ("bulletList", "orderedList", "blockquote", "panel") else ""
    return separator.join(_text(child) for child in node.get("content") or [])
