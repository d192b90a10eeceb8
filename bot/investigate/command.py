"""What `argux investigate` prints: the answer of one folder in words, of several a table; as JSON one line a folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from bot.investigate.answer import Investigation
from bot.investigate.learning import learn
from bot.investigate.marks import Marks, marks_of
from bot.investigate.page.page import page
from bot.investigate.run import investigate
from bot.investigate.throwaway import workshop
from bot.investigate.words import cause_of, decision_of, in_one_cell, sure_of_cause, sure_of_none
from bot.terminal import shown
from detection.chain import chain_line
from workers.services import Services


def run(
    folders: Sequence[Path],
    *,
    as_json: bool,
    console: Console,
    problems: Console,
    html: Path | None = None,
    learn_in: Services | None = None,
) -> int:
    """Investigate each folder and print the answers; return the exit code, 1 where a folder cannot be used.

    html: a file that the answers are written to, as a page. learn_in: where to record how the answers compare with the
    folders' truths.
    """
    answers: list[tuple[Investigation, Marks | None]] = []
    used = []
    code = 0
    with workshop() as shop:
        for folder in folders:
            if not folder.is_dir():
                problems.print(
                    f"{folder} is no folder. Give the folder of an exported incident; docs/investigate.md.",
                    soft_wrap=True,
                )
                code = 1
                continue
            answer = investigate(folder, within=shop)
            for problem in answer.problems:
                problems.print(f"{folder.name}/{problem}", soft_wrap=True)
            marks = marks_of(folder, answer)
            answers.append((answer, marks))
            used.append((folder, answer, marks))
            if as_json:
                console.print(json.dumps(_document(answer, marks)), soft_wrap=True)
    if not as_json and len(answers) == 1:
        _print_one(*answers[0], console)
    elif not as_json and answers:
        console.print(_table(answers))
        _print_total(answers, console)
    if learn_in is not None:
        learnt = learn(learn_in, used)
        problems.print(f"Learnt from {learnt} of {len(used)}: those that name a cause, and have a truth about it.")
    if html is not None and answers and not _written(html, page(answers), problems):
        code = 1
    return code


def _written(path: Path, content: str, problems: Console) -> bool:
    try:
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        problems.print(f"The page could not be written to {path}: {error.strerror}.", soft_wrap=True)
        return False
    return True


def _document(answer: Investigation, marks: Marks | None) -> dict[str, object]:
    return {**asdict(answer), **({"marks": asdict(marks)} if marks is not None else {})}


def _print_one(answer: Investigation, marks: Marks | None, console: Console) -> None:
    if answer.story or answer.root_cause_commit is not None:
        sure = sure_of_cause(answer)
        console.print(f"Cause: {cause_of(answer)}{f' ({sure} sure)' if sure else ''}")
    if none := sure_of_none(answer):
        console.print(f"No change did it ({none} sure)")
    for sentence in answer.story:
        console.print(f"  {sentence}")
    if answer.origin_service:
        console.print(f"Chain: {chain_line(answer.origin_service, answer.propagation_path)}")
    if answer.what_to_do or answer.remediation:
        console.print(f"What to do: {answer.what_to_do or (answer.remediation or '').replace('-', ' ')}")
    for page_id in answer.decisions:
        console.print(f"{page_id}: {decision_of(answer, page_id)}. {answer.reasons.get(page_id, '')}".rstrip())
    if answer.coverage:
        console.print(answer.coverage)
    if marks is not None:
        console.print(f"Against truth.json: {marks.line()}")
    console.print(f"{answer.seconds:.1f} s")


def _table(answers: Sequence[tuple[Investigation, Marks | None]]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1), collapse_padding=True)
    for heading in ("incident", "cause", "sure", "failed first", "what to do", "mark"):
        table.add_column(heading, overflow="fold")
    for answer, marks in answers:
        paged = [page for page, decision in answer.decisions.items() if decision == "page"]
        cause, sure = (f"wake for {', '.join(paged) or 'nothing'}", "") if answer.decisions else in_one_cell(answer)
        table.add_row(
            shown(answer.case),
            shown(cause),
            sure,
            shown(answer.first_failing_service or ""),
            shown((answer.remediation or "").replace("-", " ")),
            marks.line() if marks is not None else "",
        )
    return table


def _print_total(answers: Sequence[tuple[Investigation, Marks | None]], console: Console) -> None:
    marked = [marks for _, marks in answers if marks is not None]
    if marked:
        passed = sum(marks.passed for marks in marked)
        console.print(f"{passed} of {len(marked)} with a truth.json are right.")
