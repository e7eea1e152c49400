"""Rules of the load-balancer hop."""
