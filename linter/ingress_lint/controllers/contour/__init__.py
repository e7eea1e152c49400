"""Contour: Ingresses, and its own HTTPProxies."""
