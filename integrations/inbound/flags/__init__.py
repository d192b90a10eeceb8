"""Changes of flags: told by hand, or by LaunchDarkly, Unleash and Flagsmith."""
