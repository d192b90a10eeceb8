"""People who sign in, told by the product libraries as applications use them: one person in the funnel."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count

import pytest
from amplitude import Amplitude, BaseEvent, EventOptions, Identify
from mixpanel import Consumer, Mixpanel
from posthog import Posthog
from segment.analytics.client import Client as Segment

from detection.types import FunnelDefinition, FunnelStep
from tests.functional.stack import eventually
from tests.functional.web import Web

_FUNNEL_IDS = count(701)


def posthog(web: Web, visitor: str, user: str) -> None:
    client = Posthog(web.key, host=web.url, disable_geoip=True)
    client.capture(f"seen {user}", distinct_id=visitor)
    client.alias(previous_id=visitor, distinct_id=user)
    client.capture(f"joined {user}", distinct_id=user)
    client.shutdown()


def segment(web: Web, visitor: str, user: str) -> None:
    client = Segment(web.key, host=web.url, max_retries=1)
    client.track(anonymous_id=visitor, event=f"seen {user}")
    client.identify(user, {"plan": "free"}, anonymous_id=visitor)
    client.track(user, f"joined {user}")
    client.shutdown()


def segment_alias(web: Web, visitor: str, user: str) -> None:
    client = Segment(web.key, host=web.url, max_retries=1)
    client.track(anonymous_id=visitor, event=f"seen {user}")
    client.alias(visitor, user)
    client.track(user, f"joined {user}")
    client.shutdown()


def amplitude(web: Web, visitor: str, user: str) -> None:
    client = Amplitude(web.key)
    confirmed: list[int] = []
    client.configuration.server_url = f"{web.url}/2/httpapi"
    client.configuration.callback = lambda event, code, message=None: confirmed.append(code)
    client.track(BaseEvent(f"seen {user}", device_id=visitor))
    plan = Identify()
    plan.set("plan", "free")
    client.identify(plan, EventOptions(user_id=user, device_id=visitor))
    client.track(BaseEvent(f"joined {user}", user_id=user))
    client.flush()
    eventually(lambda: len(confirmed) == 3, seconds=60, what="the confirmations")
    client.shutdown()


def mixpanel(web: Web, visitor: str, user: str) -> None:
    host = web.url.removeprefix("http://")
    client = Mixpanel(web.key, consumer=Consumer(events_url=f"http://{host}/track"))
    client.track(f"$device:{visitor}", f"seen {user}", {"$device_id": visitor})
    client.track(user, f"opened {user}", {"$device_id": visitor, "$user_id": user})
    client.track(user, f"joined {user}")


@pytest.mark.parametrize("library", [posthog, segment, segment_alias, amplitude, mixpanel])
def test_who_comes_as_a_visitor_and_joins_as_a_user_converts(
    web: Web, library: Callable[[Web, str, str], None]
) -> None:
    user, began = f"member-{library.__name__}", time.time()
    library(web, f"visitor-{library.__name__}", user)
    steps = (FunnelStep("seen", f"seen {user}"), FunnelStep("joined", f"joined {user}"))
    funnel = FunnelDefinition(next(_FUNNEL_IDS), "Club", steps, 1800.0, 7)

    def reached() -> list[int]:
        while web.store.roll_up([funnel], now=time.time()).events:
            pass
        since, until = began - 3600, time.time() + 3600
        found = web.store.funnel_series(funnel.funnel_id, since=since, until=until, bucket_seconds=3600)
        return found[0].reached.sum(axis=0).tolist() if found else []

    eventually(lambda: reached() == [1, 1], seconds=60, what="the conversion")
