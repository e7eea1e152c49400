"""Rules of the service hop."""
