#!/usr/bin/env bash
# Installs ingress-lint into an environment of its own, so that the job's Python stays as it is.
# PYTHON is the interpreter; VERSION a release on PyPI, or empty for the code that this action comes with.
set -euo pipefail

if [ -z "$VERSION" ]; then
  requirement="$GITHUB_ACTION_PATH"
elif [[ "$VERSION" =~ ^[0-9][0-9A-Za-z.+-]*$ ]]; then
  requirement="ingress-lint==$VERSION"
else
  echo "::error title=ingress-lint::the input 'version' must be a release such as 0.1.0"
  exit 2
fi

environment="$RUNNER_TEMP/ingress-lint"
"$PYTHON" -I -m venv --clear "$environment"
bin="$environment/bin"
[ -d "$bin" ] || bin="$environment/Scripts"
"$bin/python" -I -m pip install --quiet --disable-pip-version-check "$requirement"
