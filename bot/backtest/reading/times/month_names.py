# ruff: noqa: RUF001 - Cyrillic letters look like Latin ones
"""The names of the months."""

from __future__ import annotations

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("jan", "ene", "gen", "ian", "sty", "oca", "янв", "січ"),
            ("feb", "fev", "fév", "lut", "şub", "фев", "лют"),
            ("mar", "mär", "mrz", "mrt", "már", "мар", "бер"),
            ("apr", "abr", "avr", "ápr", "kwi", "nis", "апр", "кві"),
            ("may", "mai", "mei", "mag", "maj", "máj", "май", "мая", "тра"),
            ("jun", "juin", "giu", "jún", "iun", "cze", "haz", "июн", "чер"),
            ("jul", "juil", "lug", "júl", "iul", "lip", "tem", "июл", "лип"),
            ("aug", "ago", "aoû", "aou", "agu", "sie", "ağu", "авг", "сер"),
            ("sep", "set", "sze", "wrz", "eyl", "сен", "вер"),
            ("oct", "okt", "ott", "out", "paź", "eki", "окт", "жов"),
            ("nov", "noi", "lis", "kas", "ноя", "лис"),
            ("dec", "dez", "dic", "déc", "des", "gru", "ara", "дек", "гру"),
        ),
        start=1,
    )
    for name in names
}
"""The beginnings of the months' names in the larger languages written with Latin or Cyrillic letters."""
