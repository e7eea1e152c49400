"""What a container listens on and which protocol each of its ports speaks, with how sure the manifests make it.

Rules ask `ObjectGraph.evidence` and nobody else, so that two rules never disagree about one port.
"""
