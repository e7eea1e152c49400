"""Istio: Ingresses of its class, and its own Gateways and VirtualServices."""
