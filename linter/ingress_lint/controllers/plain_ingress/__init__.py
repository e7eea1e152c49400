"""Ingresses of controllers that no folder here knows."""
