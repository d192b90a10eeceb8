from __future__ import annotations

import dataclasses
import json
from dataclasses import replace

import pytest

from detection.types import Attribution, Finding, Metric, Place, Shift, Subject, WhereVerdict
from storage.finding_details import details_of, details_to_json
from storage.models import FindingRecord
from tests.finding_details import DROP
from workers.words.attribution import attribution_section, attribution_sentences, shown_attribution
from workers.words.attribution_details import attribution_of, is_mix, places_of
from workers.words.findings import finding_sentence

PLACE = Place((("country", "DE"), ("payment_method", "paypal")), 200.0, 24.0, 76.0, 0.92)
PLACES = Attribution(
    WhereVerdict.PLACES, 0.299, 0.38, -0.076, -0.005, (PLACE,), (), ("country", "device", "payment_method")
)
EVERYWHERE = replace(PLACES, verdict=WhereVerdict.EVERYWHERE, places=(), rate_effect=-0.081, mix_effect=0.0)
MIX = Attribution(
    WhereVerdict.MIX, 0.25, 0.38, 0.002, -0.132, (), (Shift("country", "IN", 0.55, 0.08, 0.09, -0.13),), ("country",)
)
UNCLEAR = replace(PLACES, verdict=WhereVerdict.UNCLEAR, places=())


def drop(attribution: Attribution | None = None, **about: str) -> Finding:
    subject = Subject("funnel", "Checkout", funnel_id=1, **about)
    return Finding(
        "funnel_conversion", Metric.CONVERSION_RATE, subject, 0.299, 0.38, 0.37, 0.39, 900, -5.0, 1e-7, 0.0, 60.0, 0.0,
        replace(DROP, attribution=attribution),
    )  # fmt: skip


def test_a_place_is_described_with_its_share_and_the_loss_is_divided_into_rate_and_mix() -> None:
    assert attribution_sentences(PLACES) == (
        "country = DE and payment_method = paypal carries 92 % of the loss: it converts 12 % instead of 38 %.",
        "94 % of the loss is conversion falling, 6 % a different mix of users.",
    )


def test_the_next_best_explanations_follow_in_one_line() -> None:
    wider = Place((("country", "DE"),), 400.0, 60.0, 152.0, 1.0)
    seen = replace(PLACES, possible=(wider, PLACE))
    told = attribution_sentences(seen)
    assert told[1] == (
        "Next best explanations: country = DE (converts 15 % instead of 38 %); "
        "country = DE and payment_method = paypal (converts 12 % instead of 38 %)."
    )
    assert attribution_sentences(replace(UNCLEAR, possible=(wider,)))[1].startswith("Look first at: country = DE")
    assert attribution_sentences(replace(EVERYWHERE, possible=(wider,)))[1].startswith("Hit hardest: country = DE")


def test_the_verdicts_everywhere_mix_and_unclear_have_their_own_sentences() -> None:
    assert attribution_sentences(EVERYWHERE) == (
        "Everywhere alike: no country, device or payment_method fares worse than the others.",
        "The loss is conversion falling, not a different mix of users.",
    )
    assert attribution_sentences(MIX) == (
        "Other users than usual came; each kind of them converts as before.",
        "country = IN is 55 % of the entries, usually 8 %, and usually converts 9 %.",
        "All of the loss is a different mix of users.",
    )
    assert attribution_sentences(UNCLEAR)[0] == (
        "No country, device or payment_method, alone or together, stands out so far."
    )
    new = replace(MIX, shifts=(Shift("country", "XX", 0.3, 0.0, None, -0.1),))
    assert attribution_sentences(new)[1] == (
        "country = XX is 30 % of the entries, usually 0 %: such users were hardly ever seen before."
    )


def test_a_mix_that_improved_is_described_as_hiding_a_part_of_the_loss() -> None:
    better = replace(PLACES, rate_effect=-0.09, mix_effect=0.009)
    assert attribution_sentences(better)[1] == "Conversion is falling; a better mix of users hides 10 % of it."


@pytest.mark.parametrize("mix_effect", [0.002, -0.002])
def test_a_small_effect_of_the_mix_is_not_described_as_a_share(mix_effect: float) -> None:
    alike = replace(EVERYWHERE, mix_effect=mix_effect)
    assert attribution_sentences(alike)[-1] == "The loss is conversion falling, not a different mix of users."


def test_an_incident_is_named_after_the_place_that_carries_most_of_the_loss() -> None:
    named = "Checkout conversion for country DE and payment_method paypal is 12.0 %, normally 38.0 %"
    assert finding_sentence(drop(PLACES)) == named
    assert finding_sentence(drop(PLACES, dimension="country", value="DE")) == named


@pytest.mark.parametrize(
    "attribution",
    [
        None,
        EVERYWHERE,
        MIX,
        UNCLEAR,
        replace(PLACES, places=(replace(PLACE, share_of_loss=0.6),)),
        replace(PLACES, places=(replace(PLACE, where=(("version", "2.0"),)),)),
    ],
)
def test_an_incident_is_not_named_after_a_place_without_most_of_the_loss(attribution: Attribution | None) -> None:
    assert finding_sentence(drop(attribution)) == "Checkout conversion is 29.9 %, normally 38.0 %"


def test_an_attribution_is_read_back_unchanged_from_a_finding() -> None:
    for attribution in (PLACES, EVERYWHERE, MIX):
        found = drop(attribution)
        row = FindingRecord(
            detector=found.detector,
            metric=found.metric,
            subject=dataclasses.asdict(found.subject),
            details=json.loads(json.dumps(details_to_json(found.details))),
        )
        assert attribution_of(replace(found, details=details_of(row))) == attribution
    assert attribution_of(drop()) is None
    assert (places_of(drop(PLACES)), is_mix(drop(PLACES)), is_mix(drop(MIX))) == ((PLACE.where,), False, True)


def test_a_version_is_not_returned_as_a_place() -> None:
    assert places_of(drop(replace(PLACES, places=(replace(PLACE, where=(("version", "2.0"),)),)))) == ()


def test_the_card_shows_the_most_informative_attribution_and_none_without_dimensions() -> None:
    assert shown_attribution([drop(UNCLEAR), drop(EVERYWHERE), drop(PLACES), drop()]) == PLACES
    assert attribution_section([drop(EVERYWHERE)])[0].startswith("**Where**\n- Everywhere alike")
    assert attribution_section([drop(), drop(replace(UNCLEAR, dimensions=()))]) == ()


def test_untrusted_names_cannot_inject_markup_or_citations() -> None:
    hostile = replace(PLACES, places=(replace(PLACE, where=(("country", "`[E1] \u202e" + "x" * 500),)),))
    text = "".join(attribution_sentences(hostile))
    assert "\u202e" not in text
    assert "[E1]" not in text
    assert len(text) < 400
