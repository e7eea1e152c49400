"""The kinds of objects that may configure the pod network or the nodes."""

from __future__ import annotations

from typing import Final

CONFIGURATIONS: Final = frozenset(
    {
        ("crd.projectcalico.org", "FelixConfiguration"),
        ("crd.projectcalico.org", "IPPool"),
        ("projectcalico.org", "FelixConfiguration"),
        ("projectcalico.org", "IPPool"),
        ("operator.tigera.io", "Installation"),
        ("operator.openshift.io", "Network"),
        ("machineconfiguration.openshift.io", "KubeletConfig"),
        ("kops.k8s.io", "Cluster"),
        ("kops.k8s.io", "InstanceGroup"),
        ("nmstate.io", "NodeNetworkConfigurationPolicy"),
        ("k8s.cni.cncf.io", "NetworkAttachmentDefinition"),
        ("kubeproxy.config.k8s.io", "KubeProxyConfiguration"),
        ("kubelet.config.k8s.io", "KubeletConfiguration"),
        ("helm.cattle.io", "HelmChart"),
        ("helm.cattle.io", "HelmChartConfig"),
        ("helm.toolkit.fluxcd.io", "HelmRelease"),
        ("argoproj.io", "Application"),
    }
)
"""Kinds that hold nothing else than what configures the pod network or nodes, and releases of charts that may do."""
POD_KINDS: Final = frozenset(
    {("apps", "DaemonSet"), ("extensions", "DaemonSet"), ("apps.kruise.io", "DaemonSet"), ("", "Pod")}
)
"""Kinds whose containers may be those of a CNI or of kube-proxy."""
KINDS: Final = CONFIGURATIONS | POD_KINDS | {("", "ConfigMap")}
"""The groups and kinds of everything that may configure the pod network or the nodes."""
