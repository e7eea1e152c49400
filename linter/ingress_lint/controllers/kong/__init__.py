"""Kong Ingress Controller: Ingresses, TCPIngresses and UDPIngresses."""
