#!/bin/sh
# Fetches Microsoft's SARIF Multitool from npm, which tests/output/test_sarif.py runs where it finds it.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .cache
echo '*' > .cache/.gitignore
npm install --prefix .cache/sarif-multitool --no-save --no-audit --no-fund --ignore-scripts \
  @microsoft/sarif-multitool-linux@5.7.0
tool=.cache/sarif-multitool/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
chmod u+x "$tool"
echo "$tool"
