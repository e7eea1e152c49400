"""VirtualServices lowered to routes."""
