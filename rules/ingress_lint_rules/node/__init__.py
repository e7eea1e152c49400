"""Rules of the node hop."""
