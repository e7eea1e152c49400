"""HAProxy Ingress, the community's controller."""
