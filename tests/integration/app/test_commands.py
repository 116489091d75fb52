"""The other commands, as they are typed, against a real server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from running_server import ROOT, RunningServer

pytestmark = pytest.mark.timeout(300)  # each starts servers, also on a busy machine


def mcu(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MCU_", "PYTHONDONT"))}
    return subprocess.run(
        [sys.executable, "-m", "mcu", *arguments],
        cwd=cwd,
        env=clean | {"PYTHONPATH": str(ROOT), "MCU_DATA__DIRECTORY": str(cwd / "data"), "COLUMNS": "200"} | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_meeting_is_booked_listed_shown_and_cancelled(shared_server: RunningServer, tmp_path: Path) -> None:
    to = {"MCU_URL": shared_server.base_url, "MCU_TOKEN": shared_server.token}
    created = mcu("meeting", "create", "Vård", "--participant", "host:Dr Ek", "--json", cwd=tmp_path, **to)
    assert created.returncode == 0, created.stderr
    meeting = json.loads(created.stdout)
    assert meeting["participants"][0]["role"] == "host"
    assert len(meeting["pins"]["host"]) >= 6

    number = meeting["join"]["meeting_number"]
    listed = mcu("meeting", "list", cwd=tmp_path, COLUMNS="80", **to).stdout
    (line,) = (line for line in listed.splitlines() if number in line)
    assert "Vård" in line  # whole, in a terminal of 80 columns

    shown = mcu("meeting", "show", number, cwd=tmp_path, COLUMNS="80", **to).stdout
    assert meeting["id"] in shown
    assert "Dr Ek (host)" in shown
    assert "#t=" in shown
    assert meeting["pins"]["host"] not in shown

    assert mcu("meeting", "cancel", meeting["id"], cwd=tmp_path, **to).returncode == 0
    assert (
        json.loads(mcu("meeting", "show", meeting["id"], "--json", cwd=tmp_path, **to).stdout)["state"] == "cancelled"
    )


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "mcu: no token: make one with `mcu token`"),
        ({"MCU_TOKEN": "x", "MCU_URL": "http://127.0.0.1:1"}, "mcu: no server answers at http://127.0.0.1:1"),
    ],
)
def test_what_is_missing_is_said_in_one_line(tmp_path: Path, environment: dict[str, str], says: str) -> None:
    run = mcu("meeting", "list", cwd=tmp_path, **environment)
    assert run.returncode == 1
    assert run.stderr.startswith(says)
    assert run.stderr.count("\n") == 1


def test_a_problem_of_the_servers_is_said_in_one_line(shared_server: RunningServer, tmp_path: Path) -> None:
    to = {"MCU_URL": shared_server.base_url}
    wrong = mcu("meeting", "list", cwd=tmp_path, MCU_TOKEN="x.y.z", **to)
    assert (wrong.returncode, wrong.stderr.count("\n")) == (1, 1)
    assert wrong.stderr.startswith("mcu: Who you are could not be established")
    assert "mcu token" in wrong.stderr
    for meeting in ("mtg_nope", "123", "mtg_" + "0" * 32):
        missing = mcu("meeting", "show", meeting, cwd=tmp_path, MCU_TOKEN=shared_server.token, **to)
        assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
        assert "mcu meeting list" in missing.stderr
    empty = mcu("meeting", "create", "", cwd=tmp_path, MCU_TOKEN=shared_server.token, **to)
    assert empty.returncode == 1
    assert "title" in empty.stderr


def test_a_token_is_printed_alone_and_the_server_with_the_same_data_takes_it(
    shared_server: RunningServer, tmp_path: Path
) -> None:
    run = mcu("token", "--scope", "meetings:read", cwd=tmp_path, MCU_DATA__DIRECTORY=str(shared_server.data_directory))
    assert run.returncode == 0, run.stderr
    token = run.stdout.strip()
    assert token.count(".") == 2
    to = {"MCU_URL": shared_server.base_url, "MCU_TOKEN": token}
    assert mcu("meeting", "list", cwd=tmp_path, **to).returncode == 0
    assert "meetings:write" in mcu("meeting", "create", "X", cwd=tmp_path, **to).stderr


def test_migrate_makes_a_database_that_the_doctor_finds_well(tmp_path: Path) -> None:
    assert mcu("migrate", cwd=tmp_path).returncode == 0
    run = mcu("doctor", cwd=tmp_path, MCU_SERVER__PORT="0", MCU_OPERATIONS__PORT="0")
    assert "ok     database        it answers, with schema" in run.stdout
    failing = [line for line in run.stdout.splitlines() if line.startswith("fail") and "web client" not in line]
    assert failing == []
    assert run.returncode == int("fail" in run.stdout)


def test_the_doctor_has_a_line_for_each_thing_and_exits_1_when_one_fails(tmp_path: Path) -> None:
    run = mcu("doctor", cwd=tmp_path, MCU_SERVER__HOST="0.0.0.0", MCU_SERVER__PORT="0", MCU_OPERATIONS__PORT="0")
    assert run.returncode == 1
    lines = run.stdout.splitlines()
    assert all(line.split()[0] in {"ok", "advice", "fail"} for line in lines)
    for what in (
        "data",
        "server port",
        "tls",
        "browsers",
        "codecs",
        "C extension",
        "database",
        "clock",
        "media",
        "media UDP",
        "media TCP",
        "fonts",
    ):
        assert any(line[7:].startswith(what) for line in lines)
    assert any(line.startswith("fail   browsers") for line in lines)


def test_the_doctor_knows_a_server_of_ours(shared_server: RunningServer, tmp_path: Path) -> None:
    ports = {
        "MCU_SERVER__PORT": shared_server.base_url.rpartition(":")[2],
        "MCU_OPERATIONS__PORT": shared_server.ops_url.rpartition(":")[2],
    }
    assert "a server of ours is running there" in mcu("doctor", cwd=tmp_path, **ports).stdout
