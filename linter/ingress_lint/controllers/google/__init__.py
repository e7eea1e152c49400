"""Google Cloud: GKE Ingress, load balancers for Services, and the policies of GKE Gateway."""
