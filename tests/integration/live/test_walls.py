"""What a media worker cannot do, though whoever took it over wants it to: the real one, with a fault of our own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import faulty_worker
import pytest

from mcu.media.transport.options import MediaOptions

ROOT = Path(__file__).parents[3]
WAIT_S = 60
REFUSED = ("write", "remove", "fork", "signal", "go out", "netlink", "listen to all", "raise its bounds")


@contextmanager
def worker(
    somewhere: Path, *does: str, memory_mb: int = 2048, **environment: str
) -> Iterator[tuple[subprocess.Popen[str], socket.socket]]:
    """One that reports, and so has its walls; and the control process's end of its socket."""
    ours, theirs = socket.socketpair()
    options = MediaOptions(addresses=("127.0.0.1",), memory_mb=memory_mb)
    paths = os.pathsep.join((str(ROOT), str(Path(faulty_worker.__file__).parent)))
    with ours, theirs:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "faulty_worker", "--fd", str(theirs.fileno()), "--name", "w0"),
                *("--media", options.as_argument()),
            ],
            pass_fds=(theirs.fileno(),),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=os.environ | {"PYTHONPATH": paths, "DOES": ",".join(does), "SOMEWHERE": str(somewhere)} | environment,
        )
        with process:
            theirs.close()
            ours.settimeout(WAIT_S)
            assert ours.recv(1), process.communicate()[0]
            process.send_signal(signal.SIGUSR1)
            try:
                yield process, ours
            finally:
                process.kill()


def test_a_worker_writes_nothing_starts_nothing_opens_no_way_out_and_goes_on(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("kept", "ascii")
    with worker(there, *REFUSED, "read", "bind a port") as (process, ours):
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(len(REFUSED) + 2)]
        assert said == [*(f"{does}: OSError" for does in REFUSED), "read: done", "bind a port: done"]
        ours.close()
        assert process.wait(WAIT_S) == 0
    assert there.read_text("ascii") == "kept"


@pytest.mark.parametrize("does", ["execute", "trace"])
def test_a_worker_that_starts_a_program_or_looks_into_another_process_is_ended_by_the_kernel(
    tmp_path: Path, does: str
) -> None:
    with worker(tmp_path, does) as (process, _):
        out, _err = process.communicate(timeout=WAIT_S)
        assert process.returncode == -signal.SIGSYS
        assert does not in out


def test_a_worker_that_keeps_more_memory_than_it_may_ends_and_says_why(tmp_path: Path) -> None:
    with worker(tmp_path, "hoard at once", "hoard", memory_mb=256) as (process, _):
        out, _err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 1
        assert "hoard at once: MemoryError" in out
        assert '"event": "memory_used_up"' in out


def test_where_there_is_no_seccomp_a_worker_serves_within_its_bounds_and_says_it_once(tmp_path: Path) -> None:
    with worker(tmp_path / "new", "write", WITHOUT_SECCOMP="1") as (process, ours):
        ours.close()
        out, _err = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0
        assert out.count('"event": "no_seccomp"') == 1
    assert (tmp_path / "new").stat().st_size == 0  # a name, and nothing in it
