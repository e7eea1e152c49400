"""Who may connect to a pod, by the network policies of Kubernetes, of its administrators, of Cilium and of Calico."""
