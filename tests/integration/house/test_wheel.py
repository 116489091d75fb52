"""The wheel as a distributor builds it: one for every Python from 3.11 on, with all that it needs to serve."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
BUILD = "import sys; from scikit_build_core.build import build_wheel; print(build_wheel(*sys.argv[1:]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built by the project's build backend (PEP 517), from what git has and the built page: nothing else of this tree.

    So the extension can only be the one that is compiled here.
    """
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    shutil.copytree(ROOT / "mcu" / "web", source / "mcu" / "web", dirs_exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(made)], cwd=source, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    (built,) = made.glob("*.whl")
    return built


def test_it_is_one_wheel_for_every_python_from_3_11_on(wheel: Path) -> None:
    name, _version, python, abi, platform = wheel.stem.split("-")
    assert (name, python, abi) == ("mcu", "cp311", "abi3")
    assert platform.startswith("linux_")


def test_it_holds_the_extension_the_page_the_migrations_and_the_stub(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        page = archive.read("mcu/web/index.html").decode()
    assert {"mcu/media/_native.abi3.so", "mcu/media/_native.pyi", "mcu/web/index.html", "mcu/__main__.py"} <= names
    scripts = [word.split('"')[0] for word in page.split('src="')[1:]]
    assert scripts
    assert {f"mcu/web/{script.lstrip('./')}" for script in scripts} <= names
    here = {str(path.relative_to(ROOT)) for path in (ROOT / "mcu" / "storage").rglob("*.py")}
    assert any("versions/" in path for path in here)
    assert here <= names
    assert not [name for name in names if name.startswith(("tests/", "web/", "native/", "benchmarks/"))]


def test_its_extension_loads_and_its_command_runs_without_the_tree(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "import mcu, mcu.media._native as n; print(mcu.__file__, n.__file__)"
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    ).stdout.split()
    assert all(path.startswith(str(tmp_path)) for path in said)
    subprocess.run(
        [sys.executable, "-m", "mcu", "--help"], cwd=tmp_path, env=environment, check=True, capture_output=True
    )
