"""What goes on around the services: changes, who calls whom, what the platform and the providers say."""
