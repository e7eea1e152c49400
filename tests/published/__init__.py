"""Published cases, which must not be answered worse than they were.

The cases are kept apart: INGRESS_LINT_CASES names their folder, and without it every test here is skipped. How many
answers are right is recorded in `counts.json` by piece and row; `--update-expected` raises it to what was got.
"""
