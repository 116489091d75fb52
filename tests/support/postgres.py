"""A real PostgreSQL for a test run: Debian's binaries, a directory of its own, a free port, ended with the run."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=Path("/nonexistent"))


def installed() -> bool:
    return (BINARIES / "initdb").exists()


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty server's maintenance database. Runs as `postgres` when we are root, which it refuses."""
    home = Path(tempfile.mkdtemp(prefix="mcu-postgres-"))
    port = _free_port()
    try:
        if os.geteuid() == 0:
            shutil.chown(home, "postgres", "postgres")
        data = home / "data"
        _run("initdb", "-D", str(data), "-U", "mcu", "--auth=trust", "--encoding=UTF8", "--no-sync")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c shared_buffers=16MB -c max_connections=50"
        _run("pg_ctl", "-D", str(data), "-w", "-l", str(home / "log"), "-o", options, "start")
        try:
            yield f"postgresql+asyncpg://mcu@127.0.0.1:{port}/postgres"
        finally:
            _run("pg_ctl", "-D", str(data), "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def create_database(url: str) -> str:
    """An empty database of its own on that server; its URL."""
    name = f"test_{time.time_ns()}"
    port = url.rpartition(":")[2].partition("/")[0]
    _run("psql", "-h", "127.0.0.1", "-p", port, "-U", "mcu", "-d", "postgres", "-qc", f"CREATE DATABASE {name}")
    return url.rpartition("/")[0] + "/" + name


def _run(program: str, *arguments: str) -> None:
    as_postgres = ("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()
    command = [*as_postgres, str(BINARIES / program), *arguments]
    done = subprocess.run(command, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')[-500:]}")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
