"""A real DNS server of a test's own: dnsmasq, with the records that the test wants and nothing above it."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from baresip import free_port

START_S = 10.0


@contextlib.contextmanager
def dns_server(directory: Path, *records: str, ttl_s: int = 60) -> Iterator[int]:
    """Its port on 127.0.0.1. `records`: dnsmasq's `srv-host=…`, `naptr-record=…`, `host-record=…`."""
    port = free_port()
    lines = [
        *("no-daemon", "no-resolv", "no-hosts", "no-poll", "bind-interfaces", "listen-address=127.0.0.1"),
        *(f"port={port}", f"local-ttl={ttl_s}", "local=/example/", "user=root", "pid-file="),
        *records,
    ]
    config = directory / f"dnsmasq-{port}.conf"
    config.write_text("\n".join([*lines, ""]))
    with (directory / f"dnsmasq-{port}.log").open("wb") as log:
        process = subprocess.Popen(["dnsmasq", "-C", str(config)], stdout=log, stderr=log)
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int) -> None:
    until = time.monotonic() + START_S
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        assert time.monotonic() < until
        time.sleep(0.02)
