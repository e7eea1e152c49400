"""HAProxy Technologies' Kubernetes Ingress Controller."""
