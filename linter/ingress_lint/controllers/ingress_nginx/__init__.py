"""ingress-nginx, the Kubernetes project's controller."""
