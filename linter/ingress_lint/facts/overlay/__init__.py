"""The pod network as the set describes it: which CNI, its MTUs, what its encapsulation costs. One module a CNI."""
