"""What gateways that run on Envoy have in common."""
