"""Who failed first and how it spread: a directed graph of the failure, from signs, dependencies and onsets."""

from detection.chain.account import Chain, ChainLink
from detection.chain.chain import trace_chain
from detection.chain.observed import LineGroup, Sign, Surroundings, TraceHop
from detection.chain.picture import TreeNode, chain_graph, chain_line, chain_tree, path_of

__all__ = [
    "Chain",
    "ChainLink",
    "LineGroup",
    "Sign",
    "Surroundings",
    "TraceHop",
    "TreeNode",
    "chain_graph",
    "chain_line",
    "chain_tree",
    "path_of",
    "trace_chain",
]
