"""The shop's git repository: its commits and the pushes that become deploys."""
