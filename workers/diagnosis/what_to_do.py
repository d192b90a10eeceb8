"""What to do about a cause, in words and with names, where Argux has no button for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from workers.diagnosis.causes.remedies import are_strangers, is_mere_value
from workers.diagnosis.model import CommitScore, Evidence, Hypothesis
from workers.words.text import quoted, short_sha

_OFF = frozenset(("off", "false", "0", "disabled", "no"))
_ON = frozenset(("on", "true", "1", "enabled", "yes"))

_FULL = {
    "disk": "Free space on the disk of {service}, or enlarge it.",
    "memory": "Restart {service} to free its memory, and give it more.",
    "connections": "End the idle connections of {service}, and raise its limit of connections.",
    "file_handles": "Restart {service} to free its file handles, and raise their limit.",
    "threads": "Restart {service}, and give it more threads or more instances.",
    "queue": "Add consumers for the queue of {service} until it is empty.",
    "cpu": "Scale {service} out: its CPU is used up.",
    "throttled": "Raise the quota of {service}, or send it less.",
}


def what_to_do(origin: Hypothesis, evidence: Sequence[Evidence]) -> str | None:
    """Return one or two sentences that say what to do; None where nothing is to be done, or nobody can say."""
    own = [item for item in evidence if item.hypothesis_key == origin.key]
    say = _BY_CAUSE.get(origin.cause)
    return say(origin, own) if say is not None else None


def hunk_is_enough(suspect: CommitScore, evidence: Sequence[Evidence]) -> str | None:
    """Return which hunk of the guilty commit is enough to undo; None if it has only one, or it is not known."""
    for item in evidence:
        data = item.data
        if item.check == "change_text" and data.get("commit_sha") == suspect.sha and item.weight > 0:
            if not data.get("path") or int(data.get("hunks") or 0) < 2:
                return None
            place = f"{data['path']}:{data['line_number']}" if data.get("line_number") else str(data["path"])
            changes = f"the one with “{data['line']}”" if data.get("line") else "the guilty one"
            return (
                f"Of the {data['hunks']} hunks of {short_sha(suspect.sha)} it is enough to undo one, "
                f"{changes} at {place}."
            )
    return None


def _service(origin: Hypothesis, otherwise: str = "the service") -> str:
    return quoted(origin.service, 60) if origin.service else otherwise


def _named(origin: Hypothesis) -> str:
    """Return what the key of the hypothesis names: a company, a node."""
    return quoted(origin.key.partition(":")[2] or origin.cause, 60)


def _datum(own: Sequence[Evidence], name: str) -> str | None:
    return next((str(item.data[name]) for item in own if item.data.get(name)), None)


def _flag(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    flag = origin.flag
    if flag is None:
        return "Set the flag back to what it was."
    name, after, before = quoted(flag.flag, 80), quoted(flag.after, 60), quoted(flag.before or "", 60)
    where = f" in {quoted(flag.environment, 40)}" if flag.environment else ""
    is_switch = after.lower() in _ON | _OFF
    if is_switch and not is_mere_value(own):
        turned = "on" if after.lower() in _OFF else "off"
        return f"Turn the flag {name} {turned} again{where}."
    if flag.before is None:
        return f"Set {name}{where} back to what it was before {after}."
    return f"Set {name}{where} back to {before}; it is {after} now."


def _commit(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    sha = short_sha(origin.commit_sha or "")
    first = f"Revert commit {sha} and deploy {_service(origin)}."
    enough = hunk_is_enough(CommitScore(origin.commit_sha or "", "", "", "", 0.0), own)
    return f"{first} {enough}" if enough else first


def _third_party(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Call {_named(origin)}, who must mend it. Until then fail over to another provider if you have one."


def _certificate(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Rotate the certificate of {_service(origin)}."


def _credential(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Renew the credential that {_service(origin)} uses: a token, a password or a key."


def _dns(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Mend name resolution (DNS) for {_service(origin)}: look at the resolver and its latest records."


def _network(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Mend the network of {_service(origin)}, or fail over to another zone."


def _node(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Move what runs on {_service(origin, _named(origin))} to other nodes: cordon and drain it."


def _clock(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Set the clock of {_service(origin)} and of what it trusts right: look at its time service."


def _cloud_quota(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return "Ask the cloud for a higher quota, or run elsewhere or with less until it is there."


def _surge(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    if are_strangers(own):
        return f"Block or slow down at the edge who sends what {_service(origin)} refuses; more room would not help."
    return f"Scale {_service(origin)} and what it calls out, or turn some requests away until the crowd has passed."


def _capacity(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    kind = origin.key.rpartition(":")[2]
    return _FULL.get(kind, "Give {service} more of what it has used up.").format(service=_service(origin))


def _bad_data(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    record = _datum(own, "record")
    what = quoted(record, 80) if record else "the data that it cannot take"
    return f"Take {what} out of what {_service(origin)} reads, and set it aside to look at."


def _job(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Stop the scheduled job of {_service(origin)}, or put it off to a quieter hour."


def _maintenance(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Ask whoever runs {_service(origin)} when it is back, and fail over to a replica if there is one."


def _segment(origin: Hypothesis, own: Sequence[Evidence]) -> str | None:
    provider = next((value for name, value in origin.where if name in ("provider", "payment_method")), None)
    return f"Call {quoted(provider, 60)}: only its users suffer." if provider else None


def _downstream(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"Ask the owner of {_service(origin)}, which failed first; why is not known here."


def _known(origin: Hypothesis, own: Sequence[Evidence]) -> str | None:
    fix, incident = _datum(own, "fix"), _datum(own, "incident_id")
    return f"See whether what ended incident #{incident} helps again: {quoted(fix, 200)}" if fix else None


def _hour(origin: Hypothesis, own: Sequence[Evidence]) -> str:
    return f"See what runs at this hour each day on {_service(origin)}, and move it, or scale out before it."


_BY_CAUSE: Mapping[str, Callable[[Hypothesis, Sequence[Evidence]], str | None]] = {
    "flag": _flag,
    "commit": _commit,
    "third_party": _third_party,
    "certificate": _certificate,
    "credential": _credential,
    "name_lookup": _dns,
    "network": _network,
    "node": _node,
    "clock": _clock,
    "cloud_quota": _cloud_quota,
    "surge": _surge,
    "capacity": _capacity,
    "bad_data": _bad_data,
    "scheduled_job": _job,
    "maintenance": _maintenance,
    "segment": _segment,
    "downstream": _downstream,
    "known_incident": _known,
    "time_of_day": _hour,
}
