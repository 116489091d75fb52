"""The running server, all of it, tried by schemathesis: every check, requests made from the document, and sequences."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from running_server import RunningServer

SUPPORT = Path(__file__).parents[1] / "support"
SECONDS = 60


@pytest.mark.timeout(240)
def test_schemathesis_finds_nothing_in_the_whole_api(server: RunningServer, tmp_path: Path) -> None:
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(SUPPORT / "schemathesis.toml")),
        *("run", f"{server.base_url}/openapi.json", "--checks", "all", "--max-time", str(SECONDS), "--no-color"),
        *("-H", f"Authorization: Bearer {server.token}"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(SUPPORT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2000:]
    for phase in ("Coverage", "Fuzzing", "Stateful"):
        assert f"✅ {phase}" in done.stdout, done.stdout[-6000:]
    assert server.logged("unhandled") == []
