"""Send product events at a steady pace from a process of its own: `python -m … PORT KEY POSTS_A_SECOND EVENTS_A_POST`.

Each second's posts are spread evenly over it. A post that the server answers late delays none of the others, as long as
one of the connections is free. Ends on SIGTERM, and prints the posts sent and refused, and the last refusal.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import sys
import time
from itertools import count

CONNECTIONS = 64
EVENTS_A_VISIT = 10
STEPS = ("signed_up", "added_to_cart", "checkout_completed", "payment_completed")
COUNTRIES = ("de", "fr", "us")


class Sender:
    def __init__(self, port: int, key: str, posts_a_second: float, events_a_post: int) -> None:
        self._port, self._key = port, key
        self._gap, self._events = 1 / posts_a_second, events_a_post
        self._mark, self._numbers = secrets.token_hex(4), count()
        self.sent = self.refused = 0
        self.refusal = ""
        self._stop = asyncio.Event()

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop.set)
        self._next_at = time.monotonic()
        await asyncio.gather(*(self._keep_sending() for _ in range(CONNECTIONS)))

    async def _keep_sending(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        while not self._stop.is_set():
            turn = max(self._next_at, time.monotonic() - 1)
            self._next_at = turn + self._gap
            await asyncio.sleep(max(0.0, turn - time.monotonic()))
            writer.write(self._request())
            head = await reader.readuntil(b"\r\n\r\n")
            answer = await reader.readexactly(int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]))
            if head.startswith(b"HTTP/1.1 201"):
                self.sent += 1
            else:
                self.refused += 1
                self.refusal = f"{head[9:12].decode()} {answer.decode()[:300]}"
        writer.close()

    def _request(self) -> bytes:
        events = [self._event(next(self._numbers)) for _ in range(self._events)]
        body = f"[{','.join(events)}]" if self._events > 1 else events[0]
        return (
            f"POST /api/events HTTP/1.1\r\nHost: 127.0.0.1\r\nX-API-Key: {self._key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def _event(self, number: int) -> str:
        visit = number // EVENTS_A_VISIT
        return (
            f'{{"event_id":"{self._mark}-{number}","event":"{STEPS[number % len(STEPS)]}","user_id":"u{visit}",'
            f'"timestamp":{time.time():.3f},'
            f'"properties":{{"country":"{COUNTRIES[visit % len(COUNTRIES)]}","path":"/products/{number % 9999}"}}}}'
        )


if __name__ == "__main__":
    sender = Sender(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]))
    asyncio.run(sender.run())
    print(json.dumps({"sent": sender.sent, "refused": sender.refused, "refusal": sender.refusal}))
