"""Split a TCP stream into syslog messages, however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.doors.syslog_frames import (
    CONTINUATION_SECONDS,
    LONGEST_MESSAGE,
    UNFINISHED_SECONDS,
    Framed,
    Frames,
    other_protocol,
)


def split(*pieces: bytes) -> list[bytes | str]:
    frames = Frames()
    found: list[bytes | str] = []
    for framed in [*map(frames.feed, pieces), frames.end()]:
        found += ["too long"] * framed.too_long
        found += framed.messages
    return found


STREAMS = [
    (b"<1>a\n5 <2>b\n6 <3>c\nd<4>e", [b"<1>a", b"<2>b\n", b"<3>c\nd", b"<4>e"]),
    (b"2026-02-07 hello\n12\n3", [b"2026-02-07 hello", b"12", b"3"]),
    (b"500 errors in a minute\n<11>a\n<11>b\n", [b"500 errors in a minute", b"<11>a", b"<11>b"]),
    (b"<11>a\n7 dwarfs\n<11>b\n", [b"<11>a", b"7 dwarfs", b"<11>b"]),
    (b"12 <b>bold</b>\n<11>b\n", [b"12 <b>bold</b>", b"<11>b"]),
    (b"5 <11>a\n5 <11>b\r\n\n5 <11>c\x00", [b"<11>a", b"<11>b", b"<11>c"]),
    (b"<11>a\x00<11>b\x00<11>c\x00", [b"<11>a", b"<11>b", b"<11>c"]),
    (b"<11>a\r\n\r\n<11>b\r\n", [b"<11>a\r", b"<11>b\r"]),
    (b"10 <1>ab", [b"<1>ab"]),
    ("9 \ufeff<11>é5 <1>b\n".encode(), ["\ufeff<11>é".encode(), b"<1>b\n"]),
    ("5 <1>éé5 <1>b\n".encode(), ["<1>é".encode(), "é".encode(), b"<1>b\n"]),
]


@pytest.mark.parametrize(("stream", "expected"), STREAMS)
def test_no_message_swallows_another(stream: bytes, expected: list[bytes]) -> None:
    assert split(stream) == expected


@pytest.mark.parametrize(("stream", "expected"), STREAMS)
def test_it_does_not_matter_where_the_stream_is_cut(stream: bytes, expected: list[bytes]) -> None:
    assert split(*[stream[place : place + 1] for place in range(len(stream))]) == expected


def test_indented_lines_and_stack_traces_belong_to_the_line_before() -> None:
    trace = b"<11>boom\n\tat a.b(C.java:1)\nCaused by: x\n\t... 3 more"
    python = b"<11>boom\nTraceback (most recent call last):\n  File x\nshop.PayError: refused"
    assert split(trace + b"\n<11>b\nnot indented\n" + python + b"\n") == [trace, b"<11>b", b"not indented", python]


def test_an_indented_line_with_a_priority_is_a_message() -> None:
    assert split(b"<11>a\n <11>b\n") == [b"<11>a", b" <11>b"]


def test_a_line_waits_a_moment_for_its_next_line_and_an_unfinished_message_longer() -> None:
    frames = Frames()
    waits = [frames.patience]
    given = [frames.feed(b"<11>a\n<11>b")]
    for _ in range(2):
        waits.append(frames.patience)
        given.append(frames.overdue())
    assert waits == [None, CONTINUATION_SECONDS, UNFINISHED_SECONDS]
    assert given == [Framed(), Framed([b"<11>a"]), Framed([b"<11>b"])]
    assert frames.patience is None


def test_a_message_whose_count_is_too_large_is_not_kept_for_ever() -> None:
    frames = Frames()
    frames.feed(b"99 <11>a\n")
    assert frames.overdue() == Framed([b"<11>a\n"])


def test_an_endless_line_is_skipped_and_the_next_is_read() -> None:
    endless = b"<1>" + b"x" * (3 * LONGEST_MESSAGE)
    assert split(endless, b"\n<2>b\n") == ["too long", b"<2>b"]
    assert split(endless + b"\n<2>b\n") == ["too long", b"<2>b"]


def test_a_message_with_a_count_over_the_limit_is_skipped() -> None:
    assert split(b"70000 <1>" + b"x" * 69_997 + b"5 <2>b\n") == ["too long", b"<2>b\n"]
    assert split(b"9999999999 <1>" + b"x" * 10) == ["too long"]


@given(pieces=st.lists(st.one_of(st.binary(max_size=50), st.sampled_from([b"5 <1>a\n", b"<1>", b"\n"])), max_size=10))
def test_no_byte_is_read_twice(pieces: list[bytes]) -> None:
    assert sum(len(frame) for frame in split(*pieces)) <= sum(map(len, pieces))


def test_a_connection_of_another_protocol_is_told_what_to_do() -> None:
    assert "TLS" in (other_protocol(bytes.fromhex("16030100c8010000c4")) or "")
    assert "HTTP" in (other_protocol(b"POST /v1/logs HTTP/1.1\r\n") or "")
    assert other_protocol(b"<13>GET / HTTP/1.1 took 3 ms") is None
    assert other_protocol(b"GET lost\n") is None
