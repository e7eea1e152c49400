"""Rules of the client hop."""
