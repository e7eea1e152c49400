"""What the user's own tools build: a Kustomize root to documents, and a place in them back to the line that a person edits."""
