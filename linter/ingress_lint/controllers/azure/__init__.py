"""Azure: Application Gateways for Ingresses, and load balancers for Services."""
