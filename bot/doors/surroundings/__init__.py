"""The doors for what surrounds the services: flags, commits, Kubernetes, the service map and providers' status."""
