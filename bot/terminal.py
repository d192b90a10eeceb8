"""Print text from outside in a terminal as the plain characters it is.

Rich reads `[error]` as a style, and a terminal obeys an escape character in a log line.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from integrations.text import visible, visible_lines


class PlainConsole(Console):
    """A console that shows every string as it is: no markup, no emoji names, nothing hidden.

    A `Text` keeps its style; make one of text from outside with `shown`.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False)

    def render_str(self, text: str, **options: object) -> Text:
        """Return the string as it is printed. Rich calls this for every string, also in tables and panels."""
        return super().render_str(visible_lines(text), **options)  # type: ignore[arg-type]


def shown(text: object) -> Text:
    """Return text from outside as one line for a table or a console, whatever the console makes of markup."""
    return Text(visible(str(text)))
