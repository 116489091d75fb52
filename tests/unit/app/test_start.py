"""What stops a start, and that the reason says what to do."""

import os
import socket
from pathlib import Path

import pytest

from mcu.app import data
from mcu.app.sockets import BadCertificate, CannotListen, listen, tls_context


def test_a_port_that_is_taken_is_named_with_the_setting_to_change() -> None:
    with listen("127.0.0.1", 0, "server") as first:
        port = first.getsockname()[1]
        with pytest.raises(CannotListen, match=rf"port {port} on 127.0.0.1 is taken: .* set server.port"):
            listen("127.0.0.1", port, "server")


@pytest.mark.parametrize("host", ["192.0.2.77", "no-such-host.invalid"])
def test_an_address_of_another_machine_is_named(host: str) -> None:
    with pytest.raises(CannotListen, match=rf"{host} is not an address of this machine: set operations.host"):
        listen(host, 0, "operations")


def test_all_addresses_of_both_families_can_be_listened_on() -> None:
    with listen("::", 0, "server") as sock:
        socket.create_connection(("127.0.0.1", sock.getsockname()[1]), timeout=2).close()


def test_a_certificate_that_is_none_is_refused_by_name(tmp_path: Path) -> None:
    wrong = tmp_path / "c.pem"
    wrong.write_text("not a certificate")
    with pytest.raises(BadCertificate, match=r"c\.pem"):
        tls_context(wrong, wrong)
    with pytest.raises(BadCertificate, match="No such file"):
        tls_context(tmp_path / "none.pem", wrong)


def test_the_data_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    data.prepare(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_a_data_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(data.DataUnusable, match=r"file/x cannot be made .* set data.directory"):
        data.prepare(tmp_path / "file" / "x")


def test_a_data_directory_has_one_server_at_a_time(tmp_path: Path) -> None:
    first = data.lock(tmp_path)
    with pytest.raises(data.DataUnusable, match="another server uses"):
        data.lock(tmp_path)
    first.close()
    data.lock(tmp_path).close()
    assert os.listdir(tmp_path) == ["lock"]
