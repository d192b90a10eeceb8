"""From a diagnosis to a proposal, a person's approval, and the action carried out."""
