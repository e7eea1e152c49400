"""Cilium's Ingresses."""
