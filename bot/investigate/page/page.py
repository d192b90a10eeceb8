"""A page of what was found in exported incidents: one file that loads nothing, for a browser or an e-mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from bot.investigate.answer import Investigation
from bot.investigate.marks import Marks
from bot.investigate.page.chain_picture import chain_picture
from bot.investigate.page.style import STYLE
from bot.investigate.words import cause_of, decision_of, in_one_cell, sure_of_cause, sure_of_none
from integrations.text import visible

Answered = tuple[Investigation, Marks | None]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Whatever a text from outside holds, the page loads and runs nothing."""


def page(answers: Sequence[Answered]) -> str:
    """Return the page, HTML: a table if there are several incidents, then a section each."""
    title = f"Incident {visible(answers[0][0].case)}" if len(answers) == 1 else f"{len(answers)} incidents"
    sections = "".join(_section(number, *answered) for number, answered in enumerate(answers, start=1))
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" '
        f'content="light dark"><title>{escape(title)}</title><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{_overview(answers)}{sections}</main></body></html>\n"
    )


def _overview(answers: Sequence[Answered]) -> str:
    """Return the table of several incidents, and how many of those with a truth are right."""
    if len(answers) < 2:
        return ""
    rows = "".join(_row(number, *answered) for number, answered in enumerate(answers, start=1))
    marked = [marks for _, marks in answers if marks is not None]
    right = sum(marks.passed for marks in marked)
    total = f"<p>{right} of {len(marked)} with a truth.json are right.</p>" if marked else ""
    heads = "".join(f"<th>{head}</th>" for head in ("Incident", "Cause", "Sure", "Failed first", "Mark"))
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>{total}'


def _row(number: int, answer: Investigation, marks: Marks | None) -> str:
    paged = [page_id for page_id, decision in answer.decisions.items() if decision == "page"]
    cause, sure = (f"wake for {', '.join(paged) or 'nothing'}", "") if answer.decisions else in_one_cell(answer)
    cells = (
        f'<a href="#incident-{number}">{_text(answer.case)}</a>',
        _text(cause),
        sure,
        _text(answer.first_failing_service or ""),
        _text(marks.line()) if marks is not None else "",
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _section(number: int, answer: Investigation, marks: Marks | None) -> str:
    parts = [f'<section id="incident-{number}"><h2>{_text(answer.case)}</h2>']
    if answer.decisions:
        parts.append(_decisions(answer))
    else:
        parts.append(_verdict(answer))
        parts.append(_list("Why", answer.story))
        parts.append(_chain(answer))
    if answer.coverage:
        parts.append(f"<p>{_text(answer.coverage)}</p>")
    if marks is not None:
        parts.append(f"<p>Against truth.json: {_text(marks.line())}</p>")
    parts.append(_folded("All evidence", answer.evidence))
    parts.append(_folded("What could not be read", answer.problems))
    parts.append(f'<p class="quiet">{answer.seconds:.1f} s</p></section>')
    return "".join(parts)


def _verdict(answer: Investigation) -> str:
    remedy = answer.what_to_do or (answer.remediation or "").replace("-", " ")
    to_do = f'<p><span class="label">What to do</span>{_text(remedy)}</p>' if remedy else ""
    return (
        f'<div class="verdict"><p><span class="label">Cause</span><strong>{_text(cause_of(answer))}</strong></p>'
        f"{_bar('Sure', sure_of_cause(answer), answer.cause_confidence)}"
        f"{_bar('No change did it', sure_of_none(answer), answer.none_confidence or 0.0)}{to_do}</div>"
    )


def _bar(label: str, sure: str, share: float) -> str:
    """Return how sure something is as a figure and a bar; nothing where it is not said."""
    if not sure:
        return ""
    width = round(100 * min(max(share, 0.0), 1.0))
    return (
        f'<p><span class="label">{label}</span>{sure}</p>'
        f'<div class="bar" aria-hidden="true"><i style="width:{width}%"></i></div>'
    )


def _chain(answer: Investigation) -> str:
    if answer.origin_service is None:
        return ""
    picture = chain_picture(answer.origin_service, answer.propagation_path)
    drawn = f'<div class="wide">{picture}</div>' if picture else f"<p>{_text(answer.origin_service)}, and no other.</p>"
    return f"<h3>Who failed first, and whom it dragged along</h3>{drawn}"


def _decisions(answer: Investigation) -> str:
    rows = "".join(
        f"<tr><td>{_text(page_id)}</td><td>{_text(decision_of(answer, page_id))}</td>"
        f"<td>{_text(answer.reasons.get(page_id, ''))}</td></tr>"
        for page_id in answer.decisions
    )
    heads = "<th>Alert</th><th>Somebody is</th><th>Because</th>"
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f"<h3>{title}</h3><ul>{items}</ul>" if items else ""


def _folded(title: str, lines: Sequence[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{_text(line)}</li>" for line in lines)
    return f"<details><summary>{title} ({len(lines)})</summary><ul>{items}</ul></details>"


def _text(value: str) -> str:
    """Return text from anywhere as HTML that shows it and does nothing."""
    return escape(visible(value), quote=True)
