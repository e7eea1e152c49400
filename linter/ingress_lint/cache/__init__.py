"""What earlier runs said, kept in the user's cache folder and said again where nothing has changed.

A run that is asked the same, by the same installation in the same folder, looks at what the earlier one noted in
`ingress_lint.inputs`: where it is all as it was, no manifest is parsed, and no rule is imported.
"""
