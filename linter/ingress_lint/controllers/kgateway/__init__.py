"""kgateway: the policies of its own that hang on Gateway API objects."""
