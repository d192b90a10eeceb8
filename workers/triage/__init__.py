"""Who is woken: what fires is judged before people are told, and again with every tick."""

from workers.triage.own import keep_own
from workers.triage.sifting import Sifted, sift
from workers.triage.turned import tell_turned

__all__ = ["Sifted", "keep_own", "sift", "tell_turned"]
