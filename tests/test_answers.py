"""Whole results: what makes a run answer as the one before, what makes it look again, and that nobody can tell."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

import ingress_lint.engine
from ingress_lint import answers, inputs
from ingress_lint.__main__ import main
from ingress_lint.commands import check
from ingress_lint.output import FORMATS

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  namespace: shop
spec:
  ingressClassName: nginx
  rules:
    - host: {name}.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: gone
                port:
                  number: 80
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{port: 80}]
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in which a run of `run` finds one error."""
    root = tmp_path / "repository"
    (root / ".git" / "info").mkdir(parents=True)
    (root / "apps").mkdir()
    (root / "apps" / "shop.yaml").write_text(INGRESS.format(name="shop"))
    (root / "apps" / "service.yaml").write_text(SERVICE)
    (root / "README.md").write_text("ours")
    monkeypatch.chdir(root)
    for variable in ("GITHUB_ACTIONS", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return root


@pytest.fixture
def linted(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """As many items as there were runs that did not repeat an earlier one."""
    runs: list[None] = []
    lint = check.lint

    def counted(*arguments: object, **named: object) -> object:
        runs.append(None)
        return lint(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(check, "lint", counted)
    return runs


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["check", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def said(result: Result) -> tuple[int, str, str]:
    return result.exit_code, result.stdout, result.stderr


# -- hits -------------------------------------------------------------------------------------------------------------


def test_the_second_run_repeats_the_first(linted: list[None]) -> None:
    first, second = run(), run()
    assert len(linted) == 1
    assert said(first) == said(second)
    assert first.exit_code == 1
    assert "IL401" in first.stdout


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_the_same_bytes(name: str, linted: list[None]) -> None:
    fresh = run("--no-cache", "--format", name)
    first, second = run("--format", name), run("--format", name)
    assert len(linted) == 2
    assert said(fresh) == said(first) == said(second)


@pytest.mark.parametrize("options", [("--verbose",), ("--quiet",), ("--statistics",), ("--color", "always")])
def test_every_style_has_the_same_bytes(options: tuple[str, ...], linted: list[None]) -> None:
    run()
    fresh = run("--no-cache", *options)
    first, second = run(*options), run(*options)
    assert len(linted) == 3
    assert said(fresh) == said(first) == said(second)


def test_files_are_written_again(folder: Path, linted: list[None]) -> None:
    options = ("--output", "sarif=../report.sarif", "--output", "../report.txt", "--write-baseline", "../baseline.json")
    first = run(*options)
    names = ("report.sarif", "report.txt", "baseline.json")
    written = {name: (folder.parent / name).read_bytes() for name in names}
    for name in names:
        (folder.parent / name).unlink()
    second = run(*options)
    assert len(linted) == 1
    assert said(first) == said(second)
    assert written == {name: (folder.parent / name).read_bytes() for name in names}


def test_complaints_are_repeated(folder: Path, linted: list[None]) -> None:
    (folder / "empty").mkdir()
    first, second = run("empty"), run("empty")
    assert len(linted) == 1
    assert said(first) == said(second)
    assert first.exit_code == 2
    assert "nothing to lint" in second.stderr


def test_a_hit_imports_neither_parsers_nor_rules(folder: Path) -> None:
    program = (
        "import sys; from ingress_lint.__main__ import main\n"
        "try: main(['check'])\n"
        "finally: print(*sorted(sys.modules), sep='\\n', file=sys.stderr)"
    )

    def modules() -> set[str]:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        return set(done.stderr.split())

    heavy = {
        "ingress_lint.controllers",
        "ingress_lint.engine",
        "ingress_lint.graph",
        "ingress_lint.objects",
        "ingress_lint.report",
        "ingress_lint.rule",
        "ingress_lint.units",
        "ingress_lint_rules",
    }
    assert heavy <= modules()
    assert modules().isdisjoint({*heavy, "cryptography", "pathspec", "pydantic", "ruamel", "yaml"})


# -- misses -----------------------------------------------------------------------------------------------------------


def change(folder: Path) -> None:
    (folder / "apps" / "shop.yaml").write_text(INGRESS.format(name="shop").replace("gone", "web"))


def same_size(folder: Path) -> None:
    file = folder / "apps" / "shop.yaml"
    before = file.stat()
    file.write_text(INGRESS.format(name="shop").replace("gone", "lost"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def add(folder: Path) -> None:
    (folder / "apps" / "more.yaml").write_text(INGRESS.format(name="more"))


def add_below(folder: Path) -> None:
    (folder / "apps" / "new").mkdir()
    (folder / "apps" / "new" / "more.yaml").write_text(INGRESS.format(name="more"))


def remove(folder: Path) -> None:
    (folder / "apps" / "shop.yaml").unlink()


def rename(folder: Path) -> None:
    (folder / "apps" / "shop.yaml").rename(folder / "apps" / "store.yaml")


def ignore(folder: Path) -> None:
    (folder / ".gitignore").write_text("shop.yaml\n")


def ignore_for_me(folder: Path) -> None:
    (folder / ".git" / "info" / "exclude").write_text("shop.yaml\n")


def configure(folder: Path) -> None:
    (folder / ".ingress-lint.yaml").write_text("ignore: [IL401]\n")


def configure_in_pyproject(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.ingress-lint]\nignore = ["IL401"]\n')


def list_in_kustomization(folder: Path) -> None:
    (folder / "apps" / "kustomization.yaml").write_text("resources: [service.yaml]\n")


def replace_by_link(folder: Path) -> None:
    (folder / "elsewhere.txt").write_text(INGRESS.format(name="other"))
    (folder / "apps" / "shop.yaml").unlink()
    (folder / "apps" / "shop.yaml").symlink_to(folder / "elsewhere.txt")


CHANGES = (
    change,
    same_size,
    add,
    add_below,
    remove,
    rename,
    ignore,
    ignore_for_me,
    configure,
    configure_in_pyproject,
    list_in_kustomization,
    replace_by_link,
)


@pytest.mark.parametrize("alter", CHANGES, ids=lambda alter: alter.__name__)
def test_a_change_is_seen(alter: Callable[[Path], None], folder: Path, linted: list[None]) -> None:
    before = run()
    alter(folder)
    after = run()
    assert len(linted) == 2
    assert said(after) == said(run("--no-cache"))
    assert said(after) != said(before)
    assert said(run()) == said(after)
    assert len(linted) == 3


def test_a_changed_gitignore_above_the_path_is_seen(folder: Path, linted: list[None]) -> None:
    (folder / "apps" / "more").mkdir()
    (folder / "apps" / "more" / "web.yaml").write_text(INGRESS.format(name="web"))
    (folder / ".gitignore").write_text("none\n")
    assert "web.yaml" in run("apps").stdout
    (folder / ".gitignore").write_text("web.yaml\n")
    assert "web.yaml" not in run("apps").stdout


def test_a_changed_base_outside_of_the_path_is_seen(folder: Path, linted: list[None]) -> None:
    (folder / "overlay").mkdir()
    (folder / "base").mkdir()
    (folder / "overlay" / "kustomization.yaml").write_text("resources: [../base]\n")
    (folder / "base" / "kustomization.yaml").write_text("resources: [shop.yaml]\n")
    (folder / "base" / "shop.yaml").write_text(INGRESS.format(name="shop"))
    assert said(run("overlay")) == said(run("overlay"))
    assert len(linted) == 1
    (folder / "base" / "shop.yaml").write_text(INGRESS.format(name="other"))
    assert "other" in run("overlay").stdout
    (folder / "base" / "kustomization.yaml").unlink()
    assert "other" not in run("overlay").stdout
    assert len(linted) == 3


@pytest.mark.parametrize(
    ("options", "file"), [(("--context", "../context.yaml"), "context.yaml"), (("--config", "../c.yaml"), "c.yaml")]
)
def test_a_changed_file_of_an_option_is_seen(
    options: tuple[str, ...], file: str, folder: Path, linted: list[None]
) -> None:
    path = folder.parent / file
    path.write_text(SERVICE if file == "context.yaml" else "ignore: []\n")
    before = run(*options)
    path.write_text(SERVICE.replace("web", "gone") if file == "context.yaml" else "ignore: [IL401]\n")
    after = run(*options)
    assert len(linted) == 2
    assert said(before) != said(after)


def test_a_changed_baseline_is_seen(folder: Path, linted: list[None]) -> None:
    baseline = folder.parent / "baseline.json"
    run("--write-baseline", str(baseline))
    assert run("--baseline", str(baseline)).exit_code == 0
    baseline.write_text(json.dumps({"version": 1, "findings": []}))
    assert run("--baseline", str(baseline)).exit_code == 1


def test_another_folder_is_another_question(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linted: list[None]
) -> None:
    run(str(folder))
    monkeypatch.chdir(tmp_path)
    assert "repository/apps/shop.yaml" in run(str(folder)).stdout
    assert len(linted) == 2


def test_a_path_that_leads_elsewhere_is_seen(folder: Path, linted: list[None]) -> None:
    link = folder / "current"
    for name in ("one", "two"):
        (folder / name).mkdir()
        (folder / name / "shop.yaml").write_text(INGRESS.format(name="same"))
    link.symlink_to("one")
    run("current")
    link.unlink()
    link.symlink_to("two")
    run("current")
    assert len(linted) == 2


@pytest.mark.parametrize(
    "options",
    [
        ("--ignore", "IL401"),
        ("--select", "IL1"),
        ("--namespace", "other"),
        ("--assume", "partial"),
        ("--controller", "traefik"),
        ("--exclude", "shop.yaml"),
        ("--fail-on", "never"),
        ("--now", "2030-01-01"),
        ("apps",),
    ],
)
def test_another_option_is_another_question(options: tuple[str, ...], linted: list[None]) -> None:
    run()
    after = run(*options)
    assert len(linted) == 2
    assert said(after) == said(run("--no-cache", *options))


def test_another_version_answers_anew(monkeypatch: pytest.MonkeyPatch, linted: list[None]) -> None:
    run()
    monkeypatch.setattr(answers, "__version__", "9.9")
    run()
    assert len(linted) == 2


def test_another_distribution_answers_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linted: list[None]) -> None:
    site = tmp_path / "site"
    (site / "PyYAML-6.0.1.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(site))
    run()
    run()
    assert len(linted) == 1
    (site / "PyYAML-6.0.1.dist-info").rename(site / "PyYAML-6.0.2.dist-info")
    run()
    assert len(linted) == 2


def test_edited_code_answers_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linted: list[None]) -> None:
    site = tmp_path / "site"
    package = site / "acme_pack"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("from ingress_lint.rule import Pack\nPACK = Pack('acme')\n")
    metadata = site / "acme-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Name: acme\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[ingress_lint.rules]\nacme = acme_pack:PACK\n")
    monkeypatch.syspath_prepend(str(site))
    run()
    run()
    assert len(linted) == 1
    (package / "help.py").write_text("")
    run()
    assert len(linted) == 2


# -- what is never repeated -------------------------------------------------------------------------------------------


def test_no_cache_neither_asks_nor_keeps(cache_folder: Path, linted: list[None]) -> None:
    run("--no-cache")
    assert not cache_folder.exists()
    run()
    run("--no-cache")
    assert len(linted) == 3


def test_standard_input_is_not_repeated(folder: Path, cache_folder: Path, linted: list[None]) -> None:
    (folder / ".ingress-lint.yaml").write_text("context: [apps]\n")
    for name in ("one", "two"):
        result = CliRunner().invoke(main, ["check", "-"], input=INGRESS.format(name=name))
        assert name in result.stdout
    assert not cache_folder.exists()


def test_a_small_file_named_outright_is_not_worth_it(folder: Path, cache_folder: Path) -> None:
    run("apps/shop.yaml", "apps/service.yaml")
    assert not cache_folder.exists()
    (folder / "apps" / "large.yaml").write_text("---\n".join(INGRESS.format(name=f"n{at}") for at in range(500)))
    assert said(run("apps/large.yaml")) == said(run("apps/large.yaml"))
    assert cache_folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="there are no pipes with names")
def test_a_pipe_is_not_repeated(folder: Path, linted: list[None]) -> None:
    program = "{ cat apps/shop.yaml; echo '# once'; }"
    command = f"{sys.executable} -m ingress_lint check <({program})"
    outputs = {subprocess.run(["bash", "-c", command], capture_output=True, check=False).stdout for _ in range(2)}
    assert len(outputs) == 1
    assert b"IL401" in outputs.pop()


def test_what_could_not_be_read_is_tried_again(linted: list[None]) -> None:
    first, second = run("nowhere", "apps"), run("nowhere", "apps")
    assert first.exit_code == second.exit_code == 2
    assert len(linted) == 2


def test_a_rule_that_broke_down_is_tried_again(monkeypatch: pytest.MonkeyPatch, linted: list[None]) -> None:
    lint = ingress_lint.engine.check

    def failing(*arguments: object, **named: object) -> object:
        return msgspec.structs.replace(lint(*arguments, **named), failures=("broken",))  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(ingress_lint.engine, "check", failing)
        assert run().exit_code == 2
    assert run().exit_code == 1
    assert len(linted) == 2


def test_a_file_that_changes_meanwhile_is_read_again(folder: Path, cache_folder: Path) -> None:
    with inputs.noting(None) as noted:
        inputs.read("apps/shop.yaml")
        change(folder)
        inputs.read("apps/shop.yaml")
    assert not noted.repeatable


# -- entries ----------------------------------------------------------------------------------------------------------


def entry(cache_folder: Path) -> Path:
    (file,) = (cache_folder / "answers").iterdir()
    return file


@pytest.mark.parametrize("content", [b"", b"ingress-lint 1\n", b"\x00" * 500, b"not ours at all" * 50])
def test_a_broken_entry_is_ignored_and_replaced(content: bytes, cache_folder: Path, linted: list[None]) -> None:
    first = run()
    entry(cache_folder).write_bytes(content)
    assert said(run()) == said(first) == said(run())
    assert len(linted) == 2


def test_a_truncated_entry_is_ignored(cache_folder: Path, linted: list[None]) -> None:
    first = run()
    whole = entry(cache_folder).read_bytes()
    entry(cache_folder).write_bytes(whole[: len(whole) // 2])
    assert said(run()) == said(first)
    assert len(linted) == 2


def test_an_entry_of_another_question_is_ignored(cache_folder: Path, linted: list[None]) -> None:
    run("--ignore", "IL401")
    other = entry(cache_folder).read_bytes()
    entry(cache_folder).unlink()
    first = run()
    entry(cache_folder).write_bytes(other)
    assert said(run()) == said(first)
    assert len(linted) == 3


@pytest.mark.parametrize("content", [b"", b"\xc1", msgspec.msgpack.encode({"key": 1}), msgspec.msgpack.encode([])])
def test_an_entry_of_another_form_is_ignored(content: bytes, cache_folder: Path, linted: list[None]) -> None:
    first = run()
    answers.store().put(entry(cache_folder).name.partition(".")[0], content)
    assert said(run()) == said(first)
    assert len(linted) == 2


def test_without_a_folder_to_write_to_it_runs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, linted: list[None]
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("INGRESS_LINT_CACHE_DIR", str(tmp_path / "file" / "cache"))
    assert said(run()) == said(run()) == said(run("--no-cache"))
    assert len(linted) == 3


def test_two_runs_at_once() -> None:
    command = [sys.executable, "-m", "ingress_lint", "check"]

    def once(_: int) -> bytes:
        return subprocess.run(command, capture_output=True, check=False).stdout

    with ThreadPoolExecutor(4) as pool:
        outputs = set(pool.map(once, range(8)))
    assert len(outputs) == 1
    assert b"IL401" in outputs.pop()


def test_cache_clear(cache_folder: Path, linted: list[None]) -> None:
    run()
    run("apps")
    result = CliRunner().invoke(main, ["cache", "clear"])
    assert result.exit_code == 0
    assert "2 entries" in result.stdout
    assert not any(cache_folder.iterdir())
    run()
    assert len(linted) == 3
    assert CliRunner().invoke(main, ["cache", "clear"]).exit_code == 0


# -- the clock --------------------------------------------------------------------------------------------------------


NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def certificate(folder: Path) -> None:
    """A certificate that is valid from three days before noon until three days after."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.com")])
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, NOON - 3 * DAY, NOON + 3 * DAY)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("shop.example.com")]), critical=False)
        .sign(key, SHA256())
    )
    data = signed.public_bytes(Encoding.PEM), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    written, private = (base64.b64encode(text).decode() for text in data)
    secret = f"data: {{tls.crt: {written}, tls.key: {private}}}"
    (folder / "apps" / "tls.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: tls, namespace: shop}}\ntype: kubernetes.io/tls\n{secret}\n"
    )
    tls = "spec:\n  tls: [{hosts: [shop.example.com], secretName: tls}]\n"
    (folder / "apps" / "shop.yaml").write_text(INGRESS.format(name="shop").replace("spec:\n", tls))


def run_at(moment: datetime, monkeypatch: pytest.MonkeyPatch, *options: str) -> str:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            return moment

    with monkeypatch.context() as patched:
        patched.setattr(check, "datetime", Clock)
        patched.setattr(ingress_lint.engine, "datetime", Clock)
        return run("--select", "IL106", *options).stdout


@pytest.mark.usefixtures("certificate")
def test_a_certificates_dates_end_what_was_said(monkeypatch: pytest.MonkeyPatch, linted: list[None]) -> None:
    second = timedelta(seconds=1)
    assert "IL106" not in run_at(NOON, monkeypatch)
    assert "IL106" not in run_at(NOON + 3 * DAY - second, monkeypatch)
    assert "IL106" not in run_at(NOON - 3 * DAY + second, monkeypatch)
    assert len(linted) == 1
    assert "expired on" in run_at(NOON + 3 * DAY + second, monkeypatch)
    assert "expired on" in run_at(NOON + 300 * DAY, monkeypatch)
    assert len(linted) == 2
    assert "IL106" not in run_at(NOON, monkeypatch)
    assert "not valid before" in run_at(NOON - 3 * DAY - second, monkeypatch)
    assert "not valid before" in run_at(NOON - 300 * DAY, monkeypatch)
    assert len(linted) == 4


@pytest.mark.usefixtures("certificate")
def test_at_the_very_moment_nothing_is_repeated(monkeypatch: pytest.MonkeyPatch, linted: list[None]) -> None:
    for moment in (NOON + 3 * DAY, NOON - 3 * DAY):
        linted.clear()
        run_at(moment, monkeypatch)
        run_at(moment, monkeypatch)
        assert len(linted) == 2


@pytest.mark.usefixtures("certificate")
def test_a_time_that_is_given_is_part_of_the_question(monkeypatch: pytest.MonkeyPatch, linted: list[None]) -> None:
    given = ("--now", (NOON + 9 * DAY).isoformat())
    assert "expired on" in run_at(NOON, monkeypatch, *given)
    assert "expired on" in run_at(NOON + 300 * DAY, monkeypatch, *given)
    assert len(linted) == 1


def test_without_certificates_the_clock_does_not_matter(monkeypatch: pytest.MonkeyPatch, linted: list[None]) -> None:
    assert run_at(NOON, monkeypatch) == run_at(NOON + 3000 * DAY, monkeypatch)
    assert len(linted) == 1
