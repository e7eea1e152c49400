"""Documents to typed Kubernetes objects: only the fields the linter reads, and the schema errors that fall out."""
