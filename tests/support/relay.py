"""Debian's coturn with a shared secret, on an address of this machine: a relay by UDP, TCP and TLS."""

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from certificates import make_certificate

SECRET = "shared-by-test-and-relay"


@dataclass(frozen=True)
class TurnServer:
    """Where it listens. `certificate`: self-signed."""

    address: str
    port: int
    tls_port: int
    certificate: Path

    def url(self, way: str) -> str:
        """`way`: udp, tcp or tls."""
        host = f"[{self.address}]" if ":" in self.address else self.address
        if way == "tls":
            return f"turns:{host}:{self.tls_port}?transport=tcp"
        return f"turn:{host}:{self.port}?transport={way}"


@contextlib.contextmanager
def turn_server(directory: Path, address: str, family: str = "keep") -> Iterator[TurnServer]:
    """One that runs until the end. `family`: of what it relays from for who asks for none, as browsers do not."""
    certificate, key = make_certificate(directory, "relay.test", "localhost", begins=datetime.now(UTC), days=2)
    made = TurnServer(address, *_free_ports(address), certificate)
    words = {
        "listening-ip": address,
        "relay-ip": address,
        "allocation-default-address-family": family,
        "listening-port": made.port,
        "tls-listening-port": made.tls_port,
        "static-auth-secret": SECRET,
        "realm": "relay.test",
        "cert": certificate,
        "pkey": key,
        "log-file": directory / "turn.log",
        "pidfile": directory / "turn.pid",
        "userdb": directory / "turn.db",
    }
    flags = ["-n", "--no-cli", "--use-auth-secret", "--simple-log", "--no-dtls"]
    process = subprocess.Popen(
        ["turnserver", *flags, *(f"--{name}={value}" for name, value in words.items())],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=directory,
    )
    try:
        _wait_until_it_listens(process, made)
        yield made
    finally:
        process.kill()
        process.wait()


def _free_ports(address: str) -> tuple[int, int]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as one, socket.socket(family) as other:
        one.bind((address, 0))
        other.bind((address, 0))
        return one.getsockname()[1], other.getsockname()[1]


def _wait_until_it_listens(process: subprocess.Popen[bytes], made: TurnServer) -> None:
    for _ in range(400):
        with contextlib.suppress(OSError):
            for port in (made.port, made.tls_port):
                socket.create_connection((made.address, port), 1).close()
            return
        assert process.poll() is None, "coturn has ended"
        time.sleep(0.05)
    raise AssertionError("coturn does not listen")
