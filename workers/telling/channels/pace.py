"""The pace of a channel: about one message a second, shared by all workers, and nothing while the channel is closed.

Slack takes one message per second and channel, and bursts of a length it does not state; edits have a limit of their
own, about one a second: https://docs.slack.dev/apis/web-api/rate-limits. So each message takes a turn before it goes.
A message that must wait is given a slot, and its job is postponed to it, so that a hundred waiting messages cost a
hundred jobs and not a hundred a second. After a refusal the channel is closed for a while; the first message after that
finds out whether it is open again, one second before the next, and for an hour bursts are short.

The slots are the generic cell rate algorithm (ITU-T I.371), kept in Redis with one clock for each lane.
"""

from __future__ import annotations

from enum import StrEnum

from workers.errors import NotYetError
from workers.services import Services

GAP_SECONDS = 1.0
BURST_SECONDS = 60.0
"""How far a burst may run ahead of the pace: fifty incidents at once are told within a minute, if the channel lets."""

CAREFUL_BURST_SECONDS, CAREFUL_SECONDS = 3.0, 3600.0
"""How far it may, and for how long, after the channel refused something: four messages at once after a quiet time."""

_KEPT_SECONDS = 24 * 3600
_MANY = 1_000
_MISSED_SECONDS = 600.0
"""When the channel has many slots, those missed for so long are forgotten: their messages were dropped meanwhile."""


class Lane(StrEnum):
    """FIRST overtakes LATER: the first word about an incident, and answers to people. EDIT: messages that stand."""

    FIRST = "first"
    LATER = "later"
    EDIT = "edit"


_TURN = """
local now, gap = tonumber(ARGV[1]), tonumber(ARGV[2])
local lane, mine = 'free:' .. ARGV[3], 'slot:' .. ARGV[4]
local function read(field) return tonumber(redis.call('HGET', KEYS[1], field) or 0) end
local function write(field, at) redis.call('HSET', KEYS[1], field, string.format('%.3f', at)) end
local closed, slot = read('closed'), read(mine)
local burst = tonumber(now < read('careful') and ARGV[6] or ARGV[5])
redis.call('EXPIRE', KEYS[1], ARGV[7])
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[8]) then
  local held = redis.call('HGETALL', KEYS[1])
  for place = 1, #held, 2 do
    local is_old = string.sub(held[place], 1, 5) == 'slot:' and tonumber(held[place + 1]) < now - tonumber(ARGV[9])
    if is_old then redis.call('HDEL', KEYS[1], held[place]) end
  end
end
if slot == 0 or slot < closed then
  local from = math.max(now, closed)
  slot = math.max(from, read(lane) - burst)
  write(lane, math.max(from, read(lane)) + gap)
  if ARGV[3] == 'first' then write('free:later', math.max(from, read('free:later')) + gap) end
end
if slot <= now then
  redis.call('HDEL', KEYS[1], mine)
  return '0'
end
write(mine, slot)
return string.format('%.3f', slot - now)
"""

_CLOSE = """
local now, till, careful = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[6])
local short = tonumber(ARGV[5])
local function read(field) return tonumber(redis.call('HGET', KEYS[1], field) or 0) end
local function write(field, at) redis.call('HSET', KEYS[1], field, string.format('%.3f', at)) end
local burst = now < read('careful') and short or tonumber(ARGV[4])
till = math.max(till, read('closed'))
write('closed', till)
write('careful', till + careful)
write('slot:' .. ARGV[3], till)
for _, lane in ipairs({'free:first', 'free:later', 'free:edit'}) do
  write(lane, math.max(read(lane) - burst, till + 1) + short)
end
redis.call('EXPIRE', KEYS[1], ARGV[7])
"""


def take_turn(services: Services, channel: str, message: str, lane: Lane) -> None:
    """Take this message's turn in the channel; raise NotYetError until the time of its slot when it must wait.

    message: a name that stays the same over all tries, so that each message holds one slot.
    """
    now = services.clock().timestamp()
    bursts = (BURST_SECONDS, CAREFUL_BURST_SECONDS)
    arguments = (now, GAP_SECONDS, lane.value, message, *bursts, _KEPT_SECONDS, _MANY, _MISSED_SECONDS)
    wait = float(services.redis.eval(_TURN, 1, _key(channel), *arguments))
    if wait > 0:
        raise NotYetError(f"it is not its turn in {channel} yet", after_seconds=wait)


def close(services: Services, channel: str, message: str, seconds: float) -> None:
    """Let nothing be sent to the channel for a while; the message that was refused is the first to try again."""
    now = services.clock().timestamp()
    till = now + seconds
    bursts = (BURST_SECONDS, CAREFUL_BURST_SECONDS)
    services.redis.eval(_CLOSE, 1, _key(channel), now, till, message, *bursts, CAREFUL_SECONDS, _KEPT_SECONDS)


def count_failure(services: Services, channel: str) -> tuple[int, float]:
    """Count a failure in a row; return how many there were, and since when (seconds, UTC)."""
    key = _key(channel)
    with services.redis.pipeline() as pipeline:
        pipeline.hincrby(key, "failures", 1)
        pipeline.hsetnx(key, "since", f"{services.clock().timestamp():.3f}")
        pipeline.hget(key, "since")
        failures, _, since = pipeline.execute()
    return int(failures), float(since)


def note_outage(services: Services, channel: str, reason: str) -> None:
    """Keep why the channel takes nothing, for all messages that wait for it."""
    services.redis.hset(_key(channel), "reason", reason)


def outage_of(services: Services, channel: str) -> str | None:
    """Return why the channel takes nothing; None if it does, or is expected to soon."""
    reason = services.redis.hget(_key(channel), "reason")
    return reason.decode() if isinstance(reason, bytes) else None


def note_success(services: Services, channel: str) -> None:
    """Forget the failures: the channel takes messages."""
    services.redis.hdel(_key(channel), "failures", "since", "reason")


def _key(channel: str) -> str:
    return f"argux:pace:{channel}"
