"""AWS: the Load Balancer Controller for Ingresses, Services and Gateways."""
