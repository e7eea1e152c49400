"""Rules of the pod hop."""
