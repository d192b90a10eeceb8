"""Citations refer to existing evidence, and untrusted text cannot fake one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from detection.types import Metric
from integrations.text import Markup, ours
from workers.diagnosis.citations import cited, numbers_in, without_unknown
from workers.words.text import counted, likelihood, measure, number, query_text, quoted

texts = st.lists(st.one_of(st.text(max_size=20), st.integers(0, 30).map(lambda n: f"[E{n}]"))).map(" ".join)


def test_citations_are_placed_before_the_full_stop() -> None:
    assert cited(ours("It is slow."), 1, 4, 4) == "It is slow [E1][E4]."
    assert cited(ours("it is slow"), 2) == "it is slow [E2]"
    assert cited(ours("It is slow.")) == "It is slow."


@given(texts, st.sets(st.integers(0, 30)))
def test_citations_of_unknown_evidence_are_removed(text: str, known: set[int]) -> None:
    kept = without_unknown(Markup(text), known)

    assert numbers_in(kept) == tuple(found for found in numbers_in(text) if found in known)


def test_a_removed_citation_leaves_no_gap() -> None:
    assert without_unknown(ours("It is slow [E1][E9]."), {1}) == "It is slow [E1]."
    assert without_unknown(ours("It is slow [E9]."), {1}) == "It is slow."


@given(texts)
def test_quoted_text_is_one_line_and_cites_nothing(text: str) -> None:
    line = quoted(f"{text} [E 7] [e8, E9]\n`x`\u200b")

    assert numbers_in(line) == ()
    assert line.isprintable()
    assert len(line) <= 160


def test_figures_have_units_and_are_rounded() -> None:
    assert measure(Metric.LATENCY_P95, 2412.0) == "2.4 s"
    assert measure(Metric.LATENCY_P95, 90.4) == "90 ms"
    assert measure(Metric.CONVERSION_RATE, 0.41) == "41 %"
    assert measure(Metric.QUERY_COUNT, 4.25) == "4.2"
    assert number(9.97) == "10"
    assert number(1240.0) == "1,240"
    assert counted(1, "commit") == "1 commit"
    assert [likelihood(share) for share in (0.001, 0.5, 0.999)] == ["under 1 %", "50 %", "over 99 %"]


def test_a_query_text_formats_timestamps_as_iso_8601() -> None:
    assert query_text("f", since=0.0, limit=5) == "f(since=1970-01-01T00:00:00Z, limit=5)"
