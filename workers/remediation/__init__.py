"""Remediation: propose a fix from a diagnosis, get a person's approval, carry out the action."""
