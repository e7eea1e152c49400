"""Rules of the manifest hop."""
