"""What the manifests say beyond the API: who listens where and speaks what, and what nodes, networks and policies do."""
