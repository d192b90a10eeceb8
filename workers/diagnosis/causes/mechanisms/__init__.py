"""How an incident does harm, whatever began it: a module a mechanism. They exclude neither each other nor an origin."""

from workers.diagnosis.causes.mechanisms.catalogue import mechanisms

__all__ = ["mechanisms"]
