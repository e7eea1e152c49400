"""Follows a request through Kubernetes manifests and finds the faults that break it."""

__version__ = "0.1.0"
