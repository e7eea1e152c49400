"""Gateways and their listeners, and whether clients get to them."""
