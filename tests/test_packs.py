"""Rule packs come in by their distributions, and their rules are imported by need."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingress_lint import packs
from ingress_lint.__main__ import main
from ingress_lint.packs import PackError, load_rules

MODULE = '''"""Rules of ours."""
from ingress_lint.finding import Severity
from ingress_lint.rule import Pack, Rule

class NoTeam(Rule):
    """An object of nobody."""
    code = "{code}"
    name = "no-team"
    severity = Severity.WARNING
    summary = "an object without the label of its team"

    def check_object(self, item, graph):
        if "team" not in item.labels:
            yield self.finding(item.name_place, f"{{item}} is nobody's")

PACK = Pack("ours", (NoTeam,))
'''
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: haproxy
  rules:
    - host: shop.example.com
      http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}]}
"""


def distribution(folder: Path, module: str, source: str, entry_point: str, name: str = "Our.Rules") -> None:
    (folder / f"{module}.py").write_text(source)
    metadata = folder / f"{re.sub('[-.]', '_', name)}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\nName: of no distribution\n"
    )
    (metadata / "entry_points.txt").write_text(
        f"[console_scripts]\nours = ours:main\n\n[ingress_lint.rules]\n# ours\n{entry_point}\n\n[other]\nours = a:b\n"
    )


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed distributions."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    for module in ("our_rules", "broken_rules"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, prog_name="ingress-lint")


def same_as_the_library() -> bool:
    importlib.invalidate_caches()
    return sorted(packs._points()) == sorted(packs._points_of_the_library())


def test_a_pack_without_a_table(site: Path, tmp_path: Path) -> None:
    distribution(site, "our_rules", MODULE.format(code="IL090"), "ours = our_rules:PACK")
    assert same_as_the_library()
    assert [rule.code for rule in load_rules() if rule.name == "no-team"] == ["IL090"]
    (tmp_path / "shop.yaml").write_text(INGRESS)
    result = run("check", "--select", "no-team", str(tmp_path / "shop.yaml"))
    assert "warning[IL090] no-team: Ingress default/shop is nobody's" in result.stdout
    assert "Rules of ours." in run("explain", "IL090").stdout
    assert "no-team" in run("rules").stdout


def test_of_two_distributions_with_one_name_the_first_counts(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution(site, "our_rules", MODULE.format(code="IL090"), "ours = our_rules:PACK", "our-rules")
    behind = tmp_path / "behind"
    behind.mkdir()
    distribution(behind, "older_rules", MODULE.format(code="IL091"), "ours = older_rules:PACK", "Our.Rules")
    monkeypatch.setattr(sys, "path", [*sys.path, str(behind)])
    assert same_as_the_library()
    assert {"IL090", "IL091"} & {rule.code for rule in load_rules()} == {"IL090"}


def test_a_pack_in_an_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "packed"
    folder.mkdir()
    distribution(folder, "our_rules", MODULE.format(code="IL090"), "ours = our_rules:PACK")
    with zipfile.ZipFile(tmp_path / "ours.zip", "w") as archive:
        for file in filter(Path.is_file, folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
    monkeypatch.delitem(sys.modules, "our_rules", raising=False)
    monkeypatch.syspath_prepend(tmp_path / "ours.zip")
    assert same_as_the_library()
    assert "IL090" in {rule.code for rule in load_rules()}


@pytest.mark.parametrize(
    ("source", "entry_point", "told"),
    [
        ("import nowhere", "ours = our_rules:PACK", "its rule pack cannot be imported: ModuleNotFoundError: "),
        ("PACK = 1", "ours = our_rules:PACK", "our_rules:PACK is no ingress_lint.rule.Pack"),
        ("", "ours = our_rules", "our_rules is no ingress_lint.rule.Pack"),
        ("", "ours = our_rules:PACK", "its rule pack cannot be imported: AttributeError: "),
        (MODULE.format(code="IL401"), "ours = our_rules:PACK", "rule IL401 is already defined by ingress-lint"),
    ],
)
def test_a_pack_that_cannot_be_used(site: Path, source: str, entry_point: str, told: str) -> None:
    distribution(site, "our_rules", source, entry_point)
    with pytest.raises(PackError) as caught:
        load_rules()
    assert str(caught.value).startswith(f"Our.Rules: {told}")
    for arguments in (["check"], ["rules"], ["explain", "IL401"]):
        result = run(*arguments)
        assert result.exit_code == 2
        assert f"Our.Rules: {told}" in result.stderr


def test_no_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(PackError, match="no rules are installed"):
        load_rules()


# -- imports by need --------------------------------------------------------------------------------------------------


def rule_modules(*arguments: str) -> set[str]:
    """The modules of the built-in rules that a command imports."""
    program = (
        "import io, sys\n"
        "from contextlib import redirect_stdout\n"
        "from ingress_lint.__main__ import main\n"
        "with redirect_stdout(io.StringIO()):\n"
        "    try: main(sys.argv[1:], prog_name='ingress-lint')\n"
        "    except SystemExit: pass\n"
        "print(*(name for name in sys.modules if name.count('.') == 2 and name.startswith('ingress_lint_rules.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
    return {name.rpartition(".")[2] for name in done.stdout.split()}


def test_commands_that_run_no_rule_import_none_but_the_one_explained() -> None:
    for arguments in (["--version"], ["check", "--help"], ["rules"], ["rules", "--format", "json"]):
        assert rule_modules(*arguments) == set()
    assert rule_modules("explain", "IL201") == {"health_check_path_mismatch"}
    assert rule_modules("explain", "no-such-rule") == set()


def test_a_run_imports_the_rules_that_have_something_to_do(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop}\n")
    without_routes = rule_modules("check", str(tmp_path / "map.yaml"))
    assert "duplicate_object" in without_routes
    assert without_routes.isdisjoint({"yaml_syntax", "invalid_host", "retired_controller", "backend_not_found"})
    (tmp_path / "shop.yaml").write_text(INGRESS)
    with_routes = rule_modules("check", str(tmp_path / "shop.yaml"))
    assert {"invalid_host", "backend_not_found"} <= with_routes
    assert with_routes.isdisjoint({"yaml_syntax", "retired_controller", "probe_timing", "certificate_mismatch"})
    assert rule_modules("check", "--select", "IL107", str(tmp_path / "shop.yaml")) == {"invalid_host"}


@pytest.mark.parametrize(
    ("arguments", "still"),
    [
        (["check", "--select", "IL1,IL401"], "note[IL401]"),
        (["check", "--select", "IL1,IL401", "--format", "sarif"], '"ruleId": "IL401"'),
        (["explain", "--symptom", "503"], "IL401"),
        (["trace", "--url", "http://shop.example.com/"], "IL401"),
    ],
)
def test_a_rule_that_cannot_be_imported_costs_its_own_findings(
    tmp_path: Path, arguments: list[str], still: str
) -> None:
    (tmp_path / "shop.yaml").write_text(INGRESS)
    program = (
        "import sys\n"
        "sys.modules['ingress_lint_rules.client.invalid_host'] = None\n"
        "from ingress_lint.__main__ import main\n"
        "main(sys.argv[1:], prog_name='ingress-lint')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments, str(tmp_path / "shop.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("rule IL107 cannot be imported from ingress_lint_rules.client.invalid_host:") == 1
    assert still in done.stdout


def test_a_rule_that_cannot_be_imported_cannot_be_explained() -> None:
    program = (
        "import sys\n"
        "sys.modules['ingress_lint_rules.client.invalid_host'] = None\n"
        "from ingress_lint.__main__ import main\n"
        "main(['explain', 'IL107'], prog_name='ingress-lint')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Error: rule IL107 cannot be imported" in done.stderr
