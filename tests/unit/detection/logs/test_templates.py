from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from detection.logs.miner import MinerLimits, TemplateMiner
from detection.logs.miner_state import UnknownTemplateStateError, forgotten, from_bytes, merged, to_bytes
from tests.benchmarks.loghub import grouping_accuracy, read_systems

LOGHUB = Path(__file__).parents[5] / "shared" / "data" / "loghub_2k"

PEOPLE = ["ana", "bo", "chen", "dmitri", "eve", "fatima", "george", "hana", "ivo", "jun"]
HOSTS = ["db.prod.example.com", "cache.prod.example.com", "mail.example.org", "10.0.0.7", "10.0.3.12"]
STATES = ["PENDING", "RUNNING", "FAILED", "DONE"]

MESSAGES: list[Callable[[random.Random], str]] = [
    lambda r: f"Accepted connection from {r.choice(HOSTS)}:{r.randint(1024, 65535)}",
    lambda r: f"Closed connection from {r.choice(HOSTS)}:{r.randint(1024, 65535)} after {r.randint(1, 900)} s",
    lambda r: f"user {r.choice(PEOPLE)} logged in",
    lambda r: f"user {r.choice(PEOPLE)} logged out",
    lambda r: f"Sent invoice to {r.choice(PEOPLE)} with {r.randint(1, 9)} items",
    lambda r: f"job {r.getrandbits(64):016x} moved from {r.choice(STATES)} to {r.choice(STATES)}",
    lambda r: f"Query took {r.random() * 900:.1f} ms: rows={r.randint(0, 99)} cached={r.choice(['true', 'false'])}",
    lambda r: f"Wrote /var/lib/shop/{r.choice(PEOPLE)}/{r.randint(1, 99)}.csv ({r.randint(1, 900)} KB)",
    lambda r: f"Cart(owner={r.choice(PEOPLE)}, items=[{', '.join(r.sample(PEOPLE, r.randint(1, 5)))}]) saved",
    lambda r: f"retry {r.randint(1, 5)} of 5 for order {r.randint(10000, 99999)}: payment gateway timed out",
    lambda r: f"retry {r.randint(1, 5)} of 5 for order {r.randint(10000, 99999)}: payment gateway refused",
    lambda r: "cache warmed up",
    lambda r: "scheduler started",
    lambda r: "scheduler stopped",
    lambda r: "Connection pool exhausted, waiting for a free connection",
]


def conversation(seed: int, lines: int = 1500) -> tuple[list[str], list[str]]:
    """Return log lines of an invented shop and the message of each."""
    chance = random.Random(seed)
    messages = chance.choices(range(len(MESSAGES)), k=lines)
    return [MESSAGES[message](chance) for message in messages], [str(message) for message in messages]


def partition(labels: list[str]) -> set[frozenset[int]]:
    members: defaultdict[str, set[int]] = defaultdict(set)
    for index, label in enumerate(labels):
        members[label].add(index)
    return {frozenset(group) for group in members.values()}


@pytest.mark.parametrize("seed", range(5))
def test_lines_of_one_message_share_a_template_that_no_other_message_has(seed: int) -> None:
    lines, messages = conversation(seed)
    assert partition(TemplateMiner().learn(lines)) == partition(messages)


def test_a_template_is_the_line_with_wildcards_for_its_variable_parts() -> None:
    miner = TemplateMiner()
    miner.learn([f"Sent invoice to {person} with {n} items" for n, person in enumerate(PEOPLE)])
    (template,) = miner.templates()
    assert template.text == "Sent invoice to <*> with <*> items"
    assert template.line_count == len(PEOPLE)
    assert template.example.startswith("Sent invoice to ")


def test_lines_in_many_batches_are_grouped_as_in_one_batch() -> None:
    lines, messages = conversation(1)
    miner = TemplateMiner()
    ids = [template_id for start in range(0, len(lines), 50) for template_id in miner.learn(lines[start : start + 50])]
    assert partition([miner.resolve(one) for one in ids]) == partition(messages)


def test_a_template_keeps_its_id_as_it_becomes_more_general() -> None:
    miner = TemplateMiner()
    (early,) = miner.learn(["Sent invoice to ana with 3 items"])
    later = miner.learn([f"Sent invoice to {person} with 3 items" for person in PEOPLE])
    assert set(later) == {early}
    assert [template.text for template in miner.templates()] == ["Sent invoice to <*> with <*> items"]


def test_when_templates_become_one_the_ids_of_the_smaller_resolve_to_that_of_the_largest() -> None:
    miner = TemplateMiner()
    (small,) = miner.learn(["Sent invoice to ana with 3 items"])
    (large,) = set(miner.learn(["Sent invoice to bo with 3 items"] * 5))
    assert small != large
    later = miner.learn([f"Sent invoice to {person} with 3 items" for person in PEOPLE])
    assert set(later) == {large}
    assert miner.resolve(small) == large


def test_of_the_parts_of_a_template_that_splits_the_largest_keeps_the_id() -> None:
    miner = TemplateMiner()
    (together,) = set(miner.learn(["retry 7 failed again", "retry loop failed again"]))
    miner.learn(["retry loop failed again"] * 20)
    ids = miner.learn(["retry loop failed again", "retry 7 failed again", "retry loop failed badly"])
    assert (ids[0], len(set(ids))) == (together, 3)


def test_a_new_template_never_takes_the_id_that_an_older_one_was_given_for_the_same_text() -> None:
    miner = TemplateMiner()
    (grown,) = set(miner.learn([f"Sent invoice to {person} today" for person in PEOPLE[:1]]))
    miner.learn([f"Sent invoice to {person} today" for person in PEOPLE])
    other = TemplateMiner()
    other.restore(replace(record, template_id=grown) for record in miner.records())
    other.learn(["Sent parcel to ana today"])
    assert len({template.template_id for template in other.templates()}) == len(other.templates())


def test_templates_known_only_by_their_texts_keep_their_ids() -> None:
    old = TemplateMiner()
    lines, _ = conversation(3)
    before = old.learn(lines)
    fresh = TemplateMiner()
    fresh.adopt({template.template_id: template.text for template in old.templates()})
    assert fresh.learn(lines) == [old.resolve(one) for one in before]


def test_the_order_of_the_lines_does_not_matter() -> None:
    lines, _ = conversation(2)
    shuffled = random.Random(3).sample(lines, len(lines))
    one, other = TemplateMiner(), TemplateMiner()
    one.learn(lines)
    other.learn(shuffled)
    assert [(t.text, t.line_count) for t in one.templates()] == [(t.text, t.line_count) for t in other.templates()]


def test_a_restored_miner_keeps_its_template_ids() -> None:
    lines, _ = conversation(4)
    miner = TemplateMiner()
    miner.learn(lines[:700])
    again = from_bytes(to_bytes(miner))
    assert again.templates() == miner.templates()
    assert again.learn(lines[700:]) == miner.learn(lines[700:])
    assert again.replaced == miner.replaced


def test_lines_that_are_not_valid_unicode_can_be_stored() -> None:
    miner = TemplateMiner()
    miner.learn(["broken \ud800 surrogate", "nul \x00 byte", "ünïcode wörds"])
    assert from_bytes(to_bytes(miner)).templates() == miner.templates()


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"format":99}',
        b'{"format":2,"batch":1,"replaced":{},"templates":[],"records":[1]}',
    ],
)
def test_bytes_that_are_no_miner_state_are_refused(state: bytes) -> None:
    with pytest.raises(UnknownTemplateStateError):
        from_bytes(state)


def test_merging_several_miners_gives_the_templates_of_a_single_one() -> None:
    lines, messages = conversation(5)
    workers = [TemplateMiner() for _ in range(3)]
    ids = [""] * len(lines)
    for number, worker in enumerate(workers):
        ids[number::3] = worker.learn(lines[number::3])
    alone = TemplateMiner()
    alone.learn(lines)
    together = merged(workers)
    assert {(t.template_id, t.line_count) for t in together.templates()} == {
        (t.template_id, t.line_count) for t in alone.templates()
    }
    assert partition([together.resolve(one) for one in ids]) == partition(messages)


def test_merging_does_not_change_the_merged_miners() -> None:
    one, other = TemplateMiner(), TemplateMiner()
    one.learn(["cache warmed up"])
    other.learn(["cache warmed up"])
    merged([one, other])
    assert [t.line_count for t in one.templates()] == [1]


def test_a_template_with_very_many_shapes_is_reduced_to_one_and_still_matches() -> None:
    miner = TemplateMiner(MinerLimits(shapes_a_template=20))
    names = [f"{a}{b}" for a in "abcdefgh" for b in "mnopqrst"]
    (template_id,) = set(miner.learn([f"Sent invoice to {name} today" for name in names]))
    assert len(miner.records()) == 1
    assert miner.learn(["Sent invoice to zz today"]) == [template_id]
    assert miner.templates()[0].line_count == len(names) + 1
    assert from_bytes(to_bytes(miner)).learn(["Sent invoice to yy today"]) == [template_id]


def test_the_size_of_a_miner_is_bounded_and_the_longest_unseen_shapes_go_first() -> None:
    miner = TemplateMiner(MinerLimits(lines=50, words=50, shapes=40, shapes_a_template=1000))
    chance = random.Random(0)

    def nonsense() -> str:
        return " ".join("".join(chance.choices("abcdefghij", k=5)) for _ in range(chance.randint(2, 9)))

    for _ in range(30):
        miner.learn(["cache warmed up", *(nonsense() for _ in range(10))])
    assert len(miner.records()) <= 40
    assert any(t.text == "cache warmed up" and t.line_count == 30 for t in miner.templates())


def test_a_line_that_contains_the_variable_mark_is_not_a_general_shape() -> None:
    miner = TemplateMiner()
    marked, *plain = miner.learn(["sent \0 \0 \0 today", "sent one big red today", "sent two small green today"])
    assert marked not in plain


def test_a_very_long_line_is_read_up_to_the_limit() -> None:
    miner = TemplateMiner()
    first, second = miner.learn(["word " * 1000 + "a", "word " * 1000 + "b"])
    assert first == second
    assert len(miner.templates()[0].example) <= 4096


def test_lines_without_words_have_a_template_too() -> None:
    assert len(set(TemplateMiner().learn(["", "   ", "\t"]))) == 1


def test_an_empty_batch_learns_nothing() -> None:
    miner = TemplateMiner()
    assert miner.learn([]) == []
    assert miner.templates() == []


def test_public_logs_are_grouped_like_their_manual_labels() -> None:
    systems = read_systems(LOGHUB)
    if not systems:
        pytest.skip("needs the Loghub-2k data beside the repository (../shared/data/loghub_2k)")
    accuracy = {one.name: grouping_accuracy(TemplateMiner().learn(one.lines), one.truth) for one in systems}
    assert sum(accuracy.values()) / len(accuracy) >= 0.98, accuracy
    assert min(accuracy.values()) >= 0.95, accuracy


def test_forgotten_words_become_variables_and_old_ids_resolve_to_the_new_templates() -> None:
    miner = TemplateMiner()
    (named,) = miner.learn(["user zoe logged in"])
    (kept,) = miner.learn(["cache warmed up"])
    without = forgotten(miner, ["zoe"])
    assert without is not None
    assert sorted(template.text for template in without.templates()) == ["cache warmed up", "user <*> logged in"]
    assert (without.resolve(named), without.resolve(kept)) == (without.learn(["user ben logged in"])[0], kept)
    assert forgotten(without, ["zoe"]) is None


def test_state_without_examples_holds_no_original_line_and_gives_the_same_templates() -> None:
    miner = TemplateMiner()
    (first,) = miner.learn(["order 17 was paid"])
    again = from_bytes(to_bytes(miner, examples=False))
    assert [template.example for template in again.templates()] == [""]
    assert again.learn(["order 18 was paid"]) == [first]


PACKED = ["box 7 packed", "box 8 packed in 12 ms", "box 9 packed (1.5 KB)", "box 10 packed after 1m 3s"]


@pytest.mark.parametrize("first", PACKED)
def test_lines_with_and_without_an_optional_ending_are_one_template_with_one_id_from_the_first_on(first: str) -> None:
    miner = TemplateMiner()
    given = [template_id for line in (first, *PACKED) for template_id in miner.learn([line])]
    again = from_bytes(to_bytes(miner)).learn(PACKED)
    assert len({*given, *again}) == 1
    assert len(miner.templates()) == 1


def test_an_ending_that_measures_nothing_is_another_message() -> None:
    miner = TemplateMiner()
    miner.learn(["box 7 packed", "box 8 packed at noon", "box 9 packed in a hurry", "box 9 packed in room 7"])
    assert len(miner.templates()) == 4


MESSAGES_OF_ONE_TEMPLATE = {
    "a stack of any depth": [
        f"BoxError: box {depth} is torn\n" + "\n".join(f"\tat a.B.c{n}(B.java:{n})" for n in range(depth))
        for depth in (1, 2, 9)
    ],
    "a mapping of Python": [f"packed {{'id': {n}, 'name': '{name}'}}" for n, name in enumerate(PEOPLE)],
    "a mapping of Ruby": [
        f'Parameters: {{"id"=>"{n}", "note"=>"{note}"}}' for n, note in enumerate(["", "no ice", "hot"])
    ],
    "a list of quoted words": [f"packed {PEOPLE[:count]} today" for count in range(1, 6)],
    "browsers": [
        f'10.0.0.{n} - {name} [07/Feb/2026:12:00:0{n} +0000] "GET /box/{n} HTTP/1.1" 200 {n} "-" "{client}"'
        for n, (name, client) in enumerate(
            [
                ("-", "Mozilla/5.0 (X11; Linux x86_64) Gecko/1 Firefox/2"),
                ("ana", "curl/8.0"),
                ("bo", "Mozilla/5.0 (iPhone)"),
            ]
        )
    ],
    "tokens": [
        f"session {token} ended" for token in ("dGhpcyBpcyBiYXNlNjQ=", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "9f86d081884c7d65")
    ],
    "sums of money": [f"paid {money} today" for money in ("$7.50", "€3,99", "£12", "₹300")],
    "a bar of progress": [f"Packing [{'#' * n}{' ' * (9 - n)}] {n * 11}%" for n in range(9)],
    "names after a word for user in other languages": [f"Benutzer {name} angemeldet" for name in PEOPLE[:5]],
    "names in Cyrillic": [f"Пользователь {name} вошёл" for name in ("Анна", "Борис", "Виктор", "Галина")],
    "names in Chinese": [f"用户 {name} 登录成功" for name in ("张三", "李四", "王五", "赵六")],
}


@pytest.mark.parametrize("kind", MESSAGES_OF_ONE_TEMPLATE)
def test_what_varies_in_a_message_makes_no_further_templates(kind: str) -> None:
    miner = TemplateMiner()
    for line in MESSAGES_OF_ONE_TEMPLATE[kind]:
        miner.learn([line])
    assert [one.line_count for one in miner.templates()] == [len(MESSAGES_OF_ONE_TEMPLATE[kind])]
