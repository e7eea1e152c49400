"""Follows requests through manifests that have been read: from URL to entry, route, backend and pod, hop by hop."""
