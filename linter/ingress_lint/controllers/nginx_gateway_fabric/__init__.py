"""NGINX Gateway Fabric: the policies of its own that hang on Gateway API objects."""
