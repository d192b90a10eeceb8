"""Syslog messages, in the forms in which servers, libraries and network devices write them."""
