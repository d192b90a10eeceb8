"""Which words are a message's own, and which are values: by the kinds that real programs show."""

from __future__ import annotations

import pytest

from detection.logs.miner import TemplateMiner

NAMES = ["ana", "bo", "chen", "dmitri", "eve", "fatima", "george", "hana", "ivo", "jun", "katja", "liam"]


def texts(*lines: str) -> set[str]:
    miner = TemplateMiner()
    miner.learn(lines)
    return {template.text for template in miner.templates()}


@pytest.mark.parametrize(
    "line",
    [
        'edge-7 "{verb} /a/{n} HTTP/1.1" answered {n}',
        "{verb} /shelf/{n} {n} ms",
        '10.0.0.{n} - "{verb} /shelf?page={n}" {n}',
        "request method={verb2} done: {verb} {n}",
    ],
)
def test_the_verb_of_a_request_is_the_messages_own(line: str) -> None:
    verbs = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT"]
    lines = [line.format(verb=verb, verb2="x", n=n) for verb in verbs for n in (7, 88)]
    assert len(texts(*lines)) == len(verbs)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Parcel {} at gate 7", "Packed Weighed Labelled Loaded Shipped Returned Lost Opened"),
        ("[parcel 7] state: {}", "packing packed loading loaded shipping shipped"),
        ("gate 7 went to {}", "up down idle busy offline online"),
        ("door is {} today", "open closed locked jammed broken gone"),
        ("Engine {} (life cycle)", "Started Paused Resumed Stopped Suspended"),
        ("[{}] the oven is hot", "DEBUG INFO NOTICE WARN ERROR CRITICAL FATAL"),
        ("10:00 {} oven - door", "TRACE DEBUG INFO WARN ERROR FATAL"),
        ("suite 7 ({})", "PASSED FAILED SKIPPED BROKEN"),
        ("oven 7 [{}]", "OK WARNING CRITICAL UNKNOWN"),
        ("from {} onwards", "INFO WARN ERROR FATAL"),
        ("duration: 12 ms statement: {}", "SELECT INSERT UPDATE DELETE"),
    ],
)
def test_however_many_states_one_thing_has_each_is_a_message(line: str, words: str) -> None:
    states = words.split()
    for count in range(2, len(states) + 1):
        assert len(texts(*(line.format(state) for state in states[:count]))) == count


@pytest.mark.parametrize(
    "line",
    [
        "user {} asked for a refund",
        "parcel 7 handed over to {} at noon",
        "restarting container {} in rack 7",
        "node {} answered late",
        "paid by {}: 12 EUR",
        "basket for {} is full",
    ],
)
def test_many_names_in_the_place_of_a_name_are_values(line: str) -> None:
    expected = line.format("<*>").replace("12", "<*>").replace("7", "<*>")
    assert texts(*(line.format(name) for name in NAMES)) == {expected}


@pytest.mark.parametrize(
    ("with_it", "without_it"),
    [
        ("sent 51200 bytes (50.0 KB) in 7 s", "sent 512 bytes in 7 s"),
        ("lifetime 01:07 of link", "lifetime <1 sec of link"),
        ("peer 10.0.0.7 (edge.example.net) left", "peer 10.0.0.7 left"),
        ("peer 10.0.0.7 () left", "peer 10.0.0.7 (edge.example.net) left"),
        ("tool.exe *64 - opened a page", "tool.exe - opened a page"),
        ("took 7 ms [12] for rows", "took 7 ms for rows"),
    ],
)
def test_an_optional_part_beside_a_value_does_not_split_a_message(with_it: str, without_it: str) -> None:
    assert len(texts(with_it, without_it)) == 1


@pytest.mark.parametrize(
    "line",
    [
        "no answer from any [{}] source",
        "probe of {} is late",
        "{} - edge.example.net:443 opened",
        "shelf {} has no room",
    ],
)
def test_a_plain_name_among_names_with_numbers_is_a_value_too(line: str) -> None:
    lines = [line.format(f"rack_A{number}") for number in range(10)] + [line.format("rack_LOGIN")]
    assert len(texts(*lines)) == 1


def test_where_values_are_the_exception_words_stay() -> None:
    assert len(texts(*["mount of shelf failed"] * 9, *["mount of door failed"] * 9, "mount of 7 failed")) == 3


def test_states_in_capitals_that_a_thing_goes_from_and_to_are_values() -> None:
    steps = ["NEW", "QUEUED", "RUNNING", "DONE"]
    lines = [f"job 7 moved from {one} to {other}" for one in steps for other in steps if one != other]
    assert texts(*lines) == {"job <*> moved from <*> to <*>"}


def test_the_class_of_an_error_is_no_value() -> None:
    assert len(texts(*(f"call failed: java.net.{name}Exception" for name in ("Socket", "Connect", "Bind")))) == 3


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["订单7支付成功", "订单88支付失败"], {"订单<*>支付成功", "订单<*>支付失败"}),
        (["硬盘sda1已满", "硬盘sdb2已满"], {"硬盘<*>已满"}),
        (["2026年3月7日备份完成"], {"<*>年<*>月<*>日备份完成"}),
        (["ディスク7が満杯です", "ディスク7の交換"], {"ディスク<*>が満杯です", "ディスク<*>の交換"}),
        (["서버3번 응답 없음"], {"서버<*>번 응답 없음"}),
        (["เซิร์ฟเวอร์7ไม่ตอบสนอง", "เซิร์ฟเวอร์7กลับมาแล้ว"], {"เซิร์ฟเวอร์<*>ไม่ตอบสนอง", "เซิร์ฟเวอร์<*>กลับมาแล้ว"}),
        (["ម៉ាស៊ីន7រលត់"], {"ម៉ាស៊ីន<*>រលត់"}),
        (["用户\uff1a7\uff0c错误\uff1a磁盘已满"], {"用户\uff1a<*>\uff0c错误\uff1a磁盘已满"}),
        (["заказ 7 оплачен", "заказ 8 отменён"], {"заказ <*> оплачен", "заказ <*> отменён"}),
    ],
)
def test_in_scripts_without_spaces_numbers_vary_and_words_stay(lines: list[str], expected: set[str]) -> None:
    assert texts(*lines) == expected


def test_however_many_sentences_in_chinese_each_is_a_message() -> None:
    parts = [
        "支付成功",
        "支付失败",
        "支付超时",
        "已取消",
        "已关闭",
        "已退款",
        "已发货",
        "库存不足",
        "地址错误",
        "等待审核",
        "系统繁忙",
        "重复提交",
    ]
    assert len(texts(*(f"订单{number}{part}" for number, part in enumerate(parts)))) == len(parts)
