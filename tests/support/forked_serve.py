"""`mcu serve` in a process of its own, started within a second: all that it imports is imported once, for all of them.

`python forked_serve.py` forks for each line that it reads, a `Wanted`, and runs the whole command there, which starts
its workers as ever. It says `started PID`, and `ended PID STATUS` when one is over. Those that are left end with it.
"""

import atexit
import functools
import json
import os
import signal
import subprocess
import sys
import threading
import traceback
from pathlib import Path
from typing import NoReturn, TypedDict

GONE_S = 60.0  # seconds: after this a process that was killed is not going to end


class Wanted(TypedDict):
    """A server: where its log goes, where it is started, and with which environment."""

    log: str
    directory: str
    environment: dict[str, str]


# -- the one that starts them -----------------------------------------------------------------------------------------


class Forked:
    """One of them, as `subprocess.Popen` would have it."""

    def __init__(self, pid: int, parent: "Parent") -> None:
        self.pid, self._parent = pid, parent

    def poll(self) -> int | None:
        return self._parent.ended.get(self.pid)

    def wait(self, timeout: float = GONE_S) -> int:
        """Its exit status; less than 0: the signal that ended it. Raises `subprocess.TimeoutExpired`."""
        with self._parent.news:
            if not self._parent.news.wait_for(lambda: self.poll() is not None, timeout):
                raise subprocess.TimeoutExpired("mcu serve", timeout)
        return self._parent.ended[self.pid]

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Parent:
    """The process that forks."""

    def __init__(self, environment: dict[str, str]) -> None:
        command = [sys.executable, __file__]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, bufsize=1, env=environment)
        self.news = threading.Condition()
        self.ended: dict[int, int] = {}  # status by process id
        self._started: list[int] = []
        threading.Thread(target=self._listen, name="forked-serve", daemon=True).start()
        atexit.register(self.close)

    def start(self, wanted: Wanted) -> Forked:
        with self.news:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(wanted) + "\n")
            assert self.news.wait_for(lambda: self._started or self._process.poll() is not None)
            return Forked(self._started.pop(), self)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(GONE_S)

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            what, pid, *status = line.split()
            with self.news:
                if what == "started":
                    self._started.append(int(pid))
                else:
                    self.ended[int(pid)] = int(status[0])
                self.news.notify_all()
        self._process.wait()
        with self.news:
            self.news.notify_all()


@functools.cache
def parent() -> Parent:
    """One for this process, from when it is first asked for."""
    return Parent({**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])})


# -- in the process that forks ----------------------------------------------------------------------------------------


def fork_for_each_line() -> None:
    children: set[int] = set()

    def reap(*_signal: object) -> None:
        while children and (found := os.waitpid(-1, os.WNOHANG))[0]:
            children.discard(found[0])
            say(f"ended {found[0]} {os.waitstatus_to_exitcode(found[1])}")

    signal.signal(signal.SIGCHLD, reap)
    for line in sys.stdin:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        pid = os.fork()
        if pid == 0:
            run(json.loads(line))
        children.add(pid)
        say(f"started {pid}")
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def run(wanted: Wanted) -> NoReturn:
    """In the child: `mcu serve`."""
    from mcu.cli import main

    log = os.open(wanted["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(wanted["directory"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    sys.argv = ["mcu", "serve"]
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it waits for its workers
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    status: object = 1
    try:
        main()
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status if isinstance(status, int) else 1)  # never back to reading lines


if __name__ == "__main__":
    from mcu.app import server  # noqa: F401  # what `serve` imports when it runs

    fork_for_each_line()
