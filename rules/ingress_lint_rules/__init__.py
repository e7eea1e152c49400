"""The rules that come with ingress-lint, a folder for each hop and a file for each rule."""

import sys

from ingress_lint.rule import Pack

PACK = Pack.discover("core", sys.modules[__name__])
