"""A real `mcu serve` for tests: a process of its own on free ports, with its data in a directory of the test's.

def test_something(server: RunningServer) -> None: ...            # one for the test
with running_server(tmp_path, media__workers="2") as server: ...  # with settings, by section__key
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from forked_serve import Forked, parent
from media_ports import media_ports

from mcu.app.access import bearer
from mcu.auth.bearer import Scope
from mcu.auth.keys import load_or_create
from mcu.clock import SystemClock
from mcu.config.organisations import Organisation
from mcu.config.sections import Auth

ROOT = Path(__file__).parents[2]
START_S = 90.0  # on a machine that does much else
_DEFAULTS = {
    **{"server__port": "0", "operations__port": "0", "sip__floor_port": "0", "sip__floor_tls_port": "0"},
    **{"media__workers": "1", "logging__format": "json"},
}
SIP: Final = {"media__addresses": "127.0.0.1", "sip__addresses": "127.0.0.1", "sip__port": "0"}
# Of a stranger less would be heard.
SIP_OF_ONE_HOST: Final = {**SIP, "sip__encryption": "offered", "sip__known": "127.0.0.1"}


@dataclass
class RunningServer:
    """The process and its addresses. `token` holds every scope; `rtp_ports` are those of telephones' media."""

    process: Forked | subprocess.Popen[bytes]
    data_directory: Path
    log_path: Path
    base_url: str = ""
    ops_url: str = ""
    token: str = ""
    rtp_ports: range = range(0)

    @property
    def pid(self) -> int:
        return self.process.pid

    def log_lines(self) -> list[dict[str, Any]]:
        """What it has logged, whole lines alone."""
        lines = self.log_path.read_text("utf-8").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log_lines() if line["event"] == event]

    def worker_pids(self) -> list[int]:
        """Its living child processes."""
        return [pid for pid in children(self.pid) if alive(pid)]

    def health(self, kind: str) -> tuple[int, dict[str, Any]]:
        """What `/health/{kind}` answers: status and body."""
        return get_json(f"{self.ops_url}/health/{kind}")

    def asked(self, path: str) -> dict[str, Any]:
        """What the API answers to a GET."""
        status, answer = get_json(self.base_url + path, self.token)
        assert status == 200, answer
        return answer

    def metrics(self) -> str:
        with urllib.request.urlopen(f"{self.ops_url}/metrics", timeout=10) as answer:
            return str(answer.read().decode())

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(60)

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self.process.wait(60)

    def wait_until_serving(self) -> None:
        deadline = time.monotonic() + START_S
        while not (serving := self.logged("serving")):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{self.log_path.read_text('utf-8')[-4000:]}")
            time.sleep(0.05)
        self.base_url, self.ops_url = serving[0]["address"], serving[0]["operations"]
        self.token = every_right(self.data_directory)


def every_right(data_directory: Path, organisation: str = "") -> str:
    """A token for the server whose keys are there, with every scope; of an organisation, where one is given."""
    key = load_or_create(data_directory / "auth.pem")
    known = [Organisation(id=organisation, name="It")] if organisation else []
    own = bearer(Auth(), known, key, SystemClock())
    return own.mint("tests", frozenset({Scope.ADMIN}), timedelta(hours=1), organisation)


def launch(directory: Path, by_command: bool = False, /, **settings: str) -> RunningServer:
    """Start one, without waiting for it. Its data stay in `directory`: another may be started on them later.

    `by_command`: as a person does, and not by `forked_serve`, which has imported all beforehand.
    """
    directory.mkdir(parents=True, exist_ok=True)
    log_path = directory / f"log-{time.monotonic_ns()}.jsonl"
    given = environment(directory, **settings)
    process: Forked | subprocess.Popen[bytes]
    if by_command:
        with log_path.open("wb") as log:
            command = [sys.executable, "-m", "mcu", "serve"]
            process = subprocess.Popen(command, env=given, cwd=directory, stdout=log, stderr=log)
    else:
        log_path.touch()
        process = parent().start({"log": str(log_path), "directory": str(directory), "environment": given})
    return RunningServer(process, Path(settings.get("data__directory", directory / "data")), log_path)


def environment(directory: Path, **settings: str) -> dict[str, str]:
    """What such a server is started with: ours without its `MCU_`s, and the settings."""
    given = _DEFAULTS | {"data__directory": str(directory / "data")} | settings
    not_ours = ("MCU_", "PYTHONDONTWRITEBYTECODE")  # without compiled modules a start takes three times as long
    kept = {name: value for name, value in os.environ.items() if not name.startswith(not_ours)}
    return kept | {f"MCU_{name.upper()}": value for name, value in given.items()} | {"PYTHONPATH": str(ROOT)}


@contextmanager
def running_server(directory: Path, by_command: bool = False, /, **settings: str) -> Iterator[RunningServer]:
    """One that serves, and that is gone afterwards with its workers, however the test ended. See `launch`.

    One with telephones has ports for them that no other has, unless `settings` names them.
    """
    with ExitStack() as stack:
        ports = range(0)
        if "sip__addresses" in settings and "media__rtp_first_port" not in settings:
            ports = stack.enter_context(media_ports())
            settings |= {"media__rtp_first_port": str(ports[0]), "media__rtp_last_port": str(ports[-1])}
        server = launch(directory, by_command, **settings)
        server.rtp_ports = ports
        try:
            server.wait_until_serving()
            yield server
        finally:
            end(server)


def end(server: RunningServer) -> None:
    with suppress(subprocess.TimeoutExpired):
        server.stop()
    if server.process.poll() is None:
        server.kill()


def children(pid: int) -> list[int]:
    """The child processes of a process."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def alive(pid: int) -> bool:
    """Whether there is such a process that is not a mere zombie that nobody has reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def waited_s(pid: int) -> float:
    """How long a process's first thread has been ready in all for a core that others had."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


def get_json(url: str, token: str = "") -> tuple[int, dict[str, Any]]:
    """GET, whatever the status."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def wait_for(true: Callable[[], object], within_s: float = 10.0) -> float:
    """Seconds until `true()` was; fails after `within_s`."""
    begun = time.monotonic()
    while not true():
        if time.monotonic() - begun > within_s:
            raise AssertionError("it did not happen in time")
        time.sleep(0.02)
    return time.monotonic() - begun
