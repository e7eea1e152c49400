"""The rules that come with ingress-lint, a folder for each hop and a file for each rule."""

from ingress_lint.rule import Pack
from ingress_lint_rules.table import TABLE

PACK = Pack("core", table=TABLE)
