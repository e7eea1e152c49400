"""Service meshes: which pods are in one, what it demands of who connects to them, and whom it lets in."""
