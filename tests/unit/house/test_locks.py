"""What is installed is what was locked, and no file of ours says from where."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_dependency_is_locked_with_a_version_and_hashes(lock: str) -> None:
    wanted = PROJECT["project"]["dependencies"]
    if "dev" in lock:
        wanted = wanted + PROJECT["dependency-groups"]["dev"]
    entries = re.findall(r"^([a-z0-9_.-]+)==[^ ]+ .*\\\n((?:    --hash=sha256:.*\n)+)", (ROOT / lock).read_text(), re.M)
    assert names(wanted) <= {name for name, _ in entries}


def imported(source: Path) -> Iterator[str]:
    """The packages that a module of ours imports, but for Python's own and ours."""
    for node in ast.walk(ast.parse(source.read_text())):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"mcu"}


def test_what_is_imported_is_declared_and_not_there_by_chance() -> None:
    providers = packages_distributions()
    packages = {name for source in (ROOT / "mcu").rglob("*.py") for name in imported(source)}
    missing = {name for name in packages if not names(providers[name]) & names(PROJECT["project"]["dependencies"])}
    assert missing == set()


def test_the_web_clients_dependencies_are_locked() -> None:
    package = json.loads((ROOT / "web/package.json").read_text())
    locked = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    for kind in ("dependencies", "devDependencies"):
        assert locked[""][kind] == package[kind]
    for name in (*package["dependencies"], *package["devDependencies"]):
        assert locked[f"node_modules/{name}"]["integrity"].startswith("sha512-")


def test_no_file_carries_the_address_of_a_registry() -> None:
    hosts = "|".join(("registry[.]npmjs", "pypi[.]org", "pythonh[o]sted", "deb[.]debian[.]org"))
    command = ["git", "grep", "-nIE", hosts, "--", "."]
    found = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert (found.returncode, found.stdout) == (1, "")
