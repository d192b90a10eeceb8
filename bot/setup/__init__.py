"""What has to be right before Argux can work: the names of the settings, what is set half, and free ports."""
