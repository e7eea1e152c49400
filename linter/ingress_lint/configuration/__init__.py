"""The configuration: the file found, its settings checked, and where each of them comes from."""
