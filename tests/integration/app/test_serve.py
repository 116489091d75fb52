"""`mcu serve` as it is run: a real process with real workers, started, watched, stopped and killed."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from running_server import ROOT, RunningServer, alive, launch, running_server, wait_for

BY_COMMAND = True

pytestmark = pytest.mark.timeout(300)  # each starts servers, also on a busy machine


def test_it_serves_and_is_ready_with_a_worker_of_its_own(shared_server: RunningServer) -> None:
    assert shared_server.health("live") == (200, {"status": "ok"})
    assert shared_server.health("startup") == (200, {"status": "ok"})
    assert shared_server.health("ready") == (200, {"status": "ok"})
    assert len(shared_server.worker_pids()) == 1
    with urllib.request.urlopen(f"{shared_server.base_url}/openapi.json", timeout=10) as answer:
        assert answer.status == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_and_leaves_no_process_and_no_file(tmp_path: Path, how: signal.Signals) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    os.environ["TMPDIR"] = str(temporary)
    try:
        with running_server(tmp_path / "server", BY_COMMAND, media__workers="2") as server:
            workers = server.worker_pids()
            assert len(workers) == 2
            begun = time.monotonic()
            assert server.stop(how) == 0
            assert time.monotonic() - begun < 15
    finally:
        del os.environ["TMPDIR"]
    assert not [pid for pid in workers if alive(pid)]
    assert list(temporary.iterdir()) == []
    assert {file.name for file in server.data_directory.iterdir()} == {"auth.pem", "lock", "mcu.sqlite3"}
    assert server.log_lines()[-1]["event"] == "stopped"


def test_a_killed_server_leaves_no_worker_and_starts_again_on_the_same_data(tmp_path: Path) -> None:
    with running_server(tmp_path, media__workers="2") as server:
        workers = server.worker_pids()
        server.kill()
        wait_for(lambda: not any(alive(pid) for pid in workers), within_s=2)
    with running_server(tmp_path) as again:
        assert again.health("ready")[0] == 200


def test_a_killed_worker_is_replaced_and_meanwhile_the_server_is_not_ready(server: RunningServer) -> None:
    (worker,) = server.worker_pids()
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: server.health("ready")[0] == 503, within_s=1)
    status, body = server.health("ready")
    if status == 503:
        assert body["problems"] == {"workers": "no media worker answers"}
    assert server.health("live")[0] == 200
    wait_for(lambda: server.health("ready")[0] == 200, within_s=60)
    (other,) = server.worker_pids()
    assert other != worker
    assert "mcu_worker_restarts_total 1.0" in server.metrics()


def test_a_second_server_on_a_taken_port_says_so_in_one_line(shared_server: RunningServer, tmp_path: Path) -> None:
    port = shared_server.base_url.rpartition(":")[2]
    second = launch(tmp_path / "second", BY_COMMAND, server__port=port)
    assert second.process.wait(90) == 1
    (line,) = second.log_path.read_text().splitlines()
    assert line == f"mcu: port {port} on 127.0.0.1 is taken: stop what uses it, or set server.port to another"


def test_a_second_server_on_the_same_data_says_so_in_one_line(shared_server: RunningServer, tmp_path: Path) -> None:
    second = launch(tmp_path / "second", data__directory=str(shared_server.data_directory))
    assert second.process.wait(90) == 1
    (line,) = second.log_path.read_text().splitlines()
    assert line.startswith(f"mcu: another server uses {shared_server.data_directory}")


def test_a_signal_while_it_starts_stops_it_and_what_it_has_started(tmp_path: Path) -> None:
    server = launch(tmp_path)
    wait_for(lambda: server.logged("worker_started"), within_s=90)
    workers = server.worker_pids()
    assert server.stop() == 0
    assert not [pid for pid in workers if alive(pid)]
    assert not server.logged("serving")


def test_requests_are_counted_by_route_and_never_by_path(shared_server: RunningServer) -> None:
    for path in ("/j/482915370", "/no/such/482915370", "/api/v1/meetings/mtg_482915370"):
        with contextlib.suppress(urllib.error.HTTPError):
            urllib.request.urlopen(shared_server.base_url + path + "?pin=482915370", timeout=10)
    shown = shared_server.metrics()
    assert "482915370" not in shown
    assert "482915370" not in shared_server.log_path.read_text()
    assert re.search(r'mcu_http_requests_total\{method="GET",route="/j/\{number\}",status="\d+"\} 1.0', shown)
    assert 'route="unknown",status="404"' in shown


def test_the_worker_s_figures_are_among_the_metrics(shared_server: RunningServer) -> None:
    wait_for(lambda: 'mcu_ticks_total{worker="0"}' in shared_server.metrics(), within_s=5)
    assert "mcu_workers_alive 1.0" in shared_server.metrics()
    assert "mcu_event_loop_lag_seconds_count" in shared_server.metrics()


def test_a_setting_that_nobody_knows_stops_the_start_by_name(tmp_path: Path) -> None:
    (tmp_path / "mcu.toml").write_text("[server]\nprot = 1\n")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-m", "mcu", "serve"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert run.returncode == 2
    assert run.stderr == "mcu: mcu.toml: server.prot is not a setting; did you mean server.port?\n"
