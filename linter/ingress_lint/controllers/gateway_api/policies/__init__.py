"""What the policies of single implementations make of a route: one module a vendor."""
