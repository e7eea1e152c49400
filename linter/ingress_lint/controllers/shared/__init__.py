"""What several controllers need: the base classes, annotations, and what clouds and proxies do alike."""
