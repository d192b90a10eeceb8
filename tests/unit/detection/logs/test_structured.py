from __future__ import annotations

import time

import pytest

from detection.logs.miner import TemplateMiner
from detection.logs.structured import said


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('{"level":30,"time":1,"pid":7,"msg":"kettle is on"}', "kettle is on"),
        ('{"message":"kettle is on","error":"none"}', "kettle is on"),
        ('{"@timestamp":"2026-01-01","@message":"kettle is on"}', "kettle is on"),
        ('{"@t":"2026-01-01","@mt":"kettle {Name} is on","Name":"red"}', "kettle {Name} is on"),
        ('{"Timestamp":"x","Message":"kettle is on","State":{"Message":"no"}}', "kettle is on"),
        ('{"short_message":"kettle is on","host":"a","version":"1.1"}', "kettle is on"),
        ('{"event":"kettle.on","level":"info"}', "kettle.on"),
        ('{"timestamp":"x","level":"INFO","fields":{"message":"kettle is on"},"target":"home"}', "kettle is on"),
        ('{"text":"kettle is on","record":{"message":"no"}}', "kettle is on"),
        ('{"severity":"INFO","jsonPayload":{"message":"kettle is on"}}', "kettle is on"),
        ('{"log":"kettle is on\\n","stream":"stdout","time":"x"}', "kettle is on\n"),
        ('{"log":"{\\"level\\":\\"info\\",\\"msg\\":\\"kettle is on\\"}","stream":"stdout"}', "kettle is on"),
        ('{"t":{"$date":"x"},"s":"I","c":"NETWORK","ctx":"conn1","msg":"kettle is on","attr":{}}', "kettle is on"),
        ('2026-01-01T00:00:00Z stdout F {"msg":"kettle is on"}', "2026-01-01T00:00:00Z stdout F kettle is on"),
        ('WARN home: {"msg":"kettle is on"} ', "WARN home: kettle is on"),
        ('ts=1 level=info msg="kettle is on" room=7', "kettle is on"),
        ('level=info ts=1 caller=main.go:7 msg="say \\"on\\"" room="a b"', 'say "on"'),
        ("level=info msg=started pid=7", "started"),
        ("7:01 INFO message='kettle is on' a=b", "7:01 INFO kettle is on"),
        ('10:00 app msg="kettle is on" room=7', "10:00 app kettle is on"),
        ('{"msg":"kettle is on"},', "kettle is on"),
        ('{ "pid" : 7, "msg" : "kettle is on" }', "kettle is on"),
        ('{"level":"error","msg":"kettle is \\"on\\"","stack":"at f (x.js:1) at g', 'kettle is "on"'),
        ('took {x} s {"msg":"kettle is on"}', "took {x} s kettle is on"),
        ('{"msg":"KettleError: off\\n\\tat a.B.c(B.java:7)"}', "KettleError: off"),
    ],
)
def test_a_structured_line_says_its_message(line: str, text: str) -> None:
    assert said(line) == text


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ('{"action":"login","result":"denied","user":{"name":"ana"},"n":7}', None),
        ('at=error code=H12 desc="Request timeout"', "at: error, code: H12, desc: Request timeout"),
        ('{"message":"","kind":"tick"}', "message: , kind: tick"),
        ('{"message":17,"kind":"tick"}', "message: 17, kind: tick"),
        ('{"kind":"tick","password":"abc","apiKey":"d"}', "kind: tick, password: <*>, apiKey: <*>"),
        ('{"kind":"tick","user_agent":"Kettle/1.0 (steam)"}', "kind: tick, user_agent: <*>"),
        ('{"kind":"tick","where":["a","b"]}', 'kind: tick, where: ["a", "b"]'),
    ],
)
def test_a_structured_line_without_a_message_says_its_keys_and_the_words_of_its_values(line: str, text: str) -> None:
    assert said(line) == (text or "action: login, result: denied, user.name: ana, n: 7")


@pytest.mark.parametrize(
    "line",
    [
        "plain words",
        "f(x) {}",
        "{not json}",
        '{"cut":"off',
        '{"msg":"cut of',
        '{"msg":"one"} {"msg":"two"}',
        "{}",
        "[1, 2]",
        'saved {"price":12}',
        "authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.1",
        "type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e and more",
        "a4f: from=ana, size=12, nrcpt=1",
        "x = 7",
        "one=1",
        'shop.rollup: msg="x" and more words',
    ],
)
def test_an_ordinary_line_stays_as_it_is(line: str) -> None:
    assert said(line) == line


def texts_of(*lines: str) -> dict[str, int]:
    miner = TemplateMiner()
    miner.learn(lines)
    return {template.text: template.line_count for template in miner.templates()}


def test_the_template_of_a_json_line_is_that_of_its_message() -> None:
    json_lines = [f'{{"msg":"oven {n} is at {n}0 degrees","oven":"o-{n}"}}' for n in range(3)]
    assert texts_of(*json_lines, '{"msg":"door opened","oven":"o-1"}', '{"msg":"door closed","oven":"o-2"}') == {
        "oven <*> is at <*> degrees": 3,
        "door opened": 1,
        "door closed": 1,
    }


def test_a_line_and_its_message_alone_have_one_template() -> None:
    assert texts_of('{"msg":"door opened","oven":7}', "door opened", 'level=info msg="door opened" oven=7') == {
        "door opened": 3
    }


def test_words_of_json_without_a_message_tell_events_apart_and_names_do_not() -> None:
    lines = [
        f'{{"action":"login","result":"{result}","user.name":"{user}"}}'
        for result in ("denied", "granted")
        for user in ("ana", "bo", "chen")
    ]
    assert texts_of(*lines) == {
        "action: login, result: denied, user.name: <*>": 3,
        "action: login, result: granted, user.name: <*>": 3,
    }


def test_two_long_json_lines_with_the_same_beginning_are_told_apart_by_their_messages() -> None:
    stack = "at f (x.js:1) " * 600
    assert set(texts_of(f'{{"stack":"{stack}","msg":"oven lost"}}', f'{{"stack":"{stack}","msg":"door lost"}}')) == {
        "oven lost",
        "door lost",
    }


@pytest.mark.parametrize(
    "line",
    [
        "a=b " * 16_000,
        "a=b " * 16_000 + "!",
        'a="' * 20_000,
        "a" * 60_000 + "=1 b=2",
        "{" * 60_000 + "}",
        '{"' * 30_000 + "}",
        '{"a":1,' + '"msg":"a' * 8_000,
        "{" + " " * 60_000 + "}",
        '{"a":' * 10_000 + "1" + "}" * 10_000,
        '{"msg":"' * 8_000 + '"}',
        "a.b" * 20_000 + "=}",
    ],
    ids=[
        "pairs",
        "pairs and more",
        "open quotes",
        "one long key",
        "braces",
        "objects",
        "cut",
        "blanks",
        "deep",
        "messages",
        "dots",
    ],
)
def test_a_hostile_line_is_read_within_milliseconds(line: str) -> None:
    began = time.process_time()
    said(line)
    assert time.process_time() - began < 0.25


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "Traceback (most recent call last):\n  File \"a.py\", line 7, in boil\n    heat()\nKeyError: 'kettle'",
            "Traceback (most recent call last): KeyError: 'kettle'",
        ),
        (
            "KettleError: off\n\tat a.B.c(B.java:7)\nCaused by: WireError: cut\n\t... 3 more",
            "KettleError: off Caused by: WireError: cut",
        ),
        ("Boiling failed: Error: off\n    at boil (/k.js:3:9) {\n  code: 'OFF'\n}", "Boiling failed: Error: off"),
        ("panic: off\n\ngoroutine 1 [running]:\nmain.boil({0x1, 0x2})\n\t/k.go:7 +0x1", "panic: off"),
        (
            "fail: Kettle.Worker[7]\n      kettle is off\n         at Kettle.Boil()",
            "fail: Kettle.Worker[7]       kettle is off",
        ),
        ("kettle is off\nroom is dark", "kettle is off room is dark"),
    ],
    ids=["Python", "Java", "Node", "Go", ".NET", "no trace"],
)
def test_the_calls_of_a_stack_trace_are_no_part_of_what_a_record_says(text: str, words: str) -> None:
    assert said(text) == words
