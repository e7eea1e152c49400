"""What the set tells the kernels of its nodes: sysctls, and the conntrack table by way of kube-proxy."""
