"""Traefik, in small modules; the controller loads those that serve objects only where a set has some."""
