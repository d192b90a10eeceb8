"""Split a TCP stream into syslog messages, however it is cut into pieces."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bot.doors.syslog_frames import LONGEST_MESSAGE, FrameTooLongError, next_frame


async def frames(*pieces: bytes) -> list[bytes | str]:
    reader = asyncio.StreamReader(limit=LONGEST_MESSAGE)
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    found: list[bytes | str] = []
    while True:
        try:
            frame = await next_frame(reader)
        except FrameTooLongError:
            found.append("too long")
            continue
        if frame is None:
            return found
        found.append(frame)


async def test_lines_and_counted_messages_may_follow_one_another() -> None:
    assert await frames(b"<1>a\n", b"5 <2>b\n6 <3>c\nd<4>e") == [b"<1>a\n", b"<2>b\n", b"<3>c\nd", b"<4>e"]


async def test_a_line_that_begins_with_digits_is_still_a_line() -> None:
    assert await frames(b"2026-02-07 hello\n12\n3") == [b"2026-02-07 hello\n", b"12\n", b"3"]


async def test_a_stream_that_ends_within_a_message_returns_its_beginning() -> None:
    assert await frames(b"10 <1>ab") == [b"<1>ab"]


async def test_an_endless_line_is_skipped_and_the_next_is_read() -> None:
    endless = b"<1>" + b"x" * (3 * LONGEST_MESSAGE)
    assert await frames(endless, b"\n<2>b\n") == ["too long", b"<2>b\n"]


async def test_a_message_with_a_count_over_the_limit_is_skipped() -> None:
    assert await frames(b"70000 " + b"x" * 70_000 + b"5 <2>b\n") == ["too long", b"<2>b\n"]
    assert await frames(b"9999999999 " + b"x" * 10) == ["too long"]


@given(pieces=st.lists(st.binary(max_size=50), max_size=10))
async def test_reading_any_bytes_terminates(pieces: list[bytes]) -> None:
    assert sum(len(frame) for frame in await frames(*pieces)) <= sum(map(len, pieces)) + len("too long") * len(pieces)
