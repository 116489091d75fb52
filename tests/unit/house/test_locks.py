"""What is installed is what was locked, and no file of ours says from where."""

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[^A-Za-z0-9_.-]", requirement)[0].lower() for requirement in requirements}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_every_dependency_is_locked_with_a_version_and_hashes(lock: str) -> None:
    wanted = PROJECT["project"]["dependencies"]
    if "dev" in lock:
        wanted = wanted + PROJECT["dependency-groups"]["dev"]
    entries = re.findall(r"^([a-z0-9_.-]+)==[^ ]+ .*\\\n((?:    --hash=sha256:.*\n)+)", (ROOT / lock).read_text(), re.M)
    assert names(wanted) <= {name for name, _ in entries}


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
