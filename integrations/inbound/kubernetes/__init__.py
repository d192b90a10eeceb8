"""Events and resource states of Kubernetes: from `kubectl`, a watch, or the collector's receivers."""
