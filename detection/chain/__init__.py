"""Who failed first and how it spread: a directed graph of the failure, from signs, dependencies and onsets."""

from detection.chain.account import Chain, ChainLink
from detection.chain.chain import trace_chain
from detection.chain.observed import LineGroup, Sign, Surroundings, TraceHop
from detection.chain.picture import chain_graph, chain_line

__all__ = [
    "Chain",
    "ChainLink",
    "LineGroup",
    "Sign",
    "Surroundings",
    "TraceHop",
    "chain_graph",
    "chain_line",
    "trace_chain",
]
