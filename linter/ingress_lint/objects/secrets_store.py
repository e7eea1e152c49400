"""The Secrets Store CSI driver's SecretProviderClass, as far as it fills Secrets (group secrets-store.csi.x-k8s.io).

kubernetes-sigs/secrets-store-csi-driver:apis/v1/secretproviderclass_types.go
"""

from __future__ import annotations

from ingress_lint.objects.model import Many, Model


class SecretObject(Model):
    """A Secret that gets a copy of what the provider has."""

    secret_name: str = ""


class SecretProviderClassSpec(Model):
    """What is taken from a provider."""

    secret_objects: Many[SecretObject] = ()


class SecretProviderClass(Model):
    """A SecretProviderClass."""

    spec: SecretProviderClassSpec = SecretProviderClassSpec()
