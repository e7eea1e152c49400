"""F5 NGINX Ingress Controller: Ingresses, and its own VirtualServers and TransportServers."""
