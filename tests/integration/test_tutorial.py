"""The tutorial is true: its commands, as they stand on the page, do what it says."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from running_server import ROOT, RunningServer

PAGE = ROOT / "docs" / "tutorial.md"


def commands(server: RunningServer) -> str:
    """The page's shell blocks in one script, with this server's addresses and this interpreter."""
    script = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL))
    for written, real in (
        ("http://localhost:8080", server.base_url),
        ("http://localhost:8081", server.ops_url),
        (".venv/bin/mcu", f"{sys.executable} -m mcu"),
        ("curl -s ", "curl -s --fail-with-body "),
    ):
        assert written in script
        script = script.replace(written, real)
    return f"set -euo pipefail\n{script}"


def test_every_command_of_the_tutorial_works_as_written(server: RunningServer, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MCU_DATA__DIRECTORY": str(server.data_directory)}
    done = subprocess.run(
        ["bash", "-c", commands(server)], cwd=here, env=environment, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    meeting = json.loads((here / "meeting.json").read_text())
    assert meeting["title"] == "Ward round"
    assert meeting["pins"]
    assert '"join_url": "http' in done.stdout  # the personal link
    assert '"items": []' in done.stdout  # no room runs yet
