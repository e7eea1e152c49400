"""Oracle Cloud: load balancers for Services."""
