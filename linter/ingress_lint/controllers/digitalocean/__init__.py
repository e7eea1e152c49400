"""DigitalOcean: load balancers for Services."""
