"""What the doctor says: ok, or what to do."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from certificates import make_certificate

from mcu.app.sockets import listen
from mcu.cli import checks
from mcu.cli.lines import Line, Verdict
from mcu.config.settings import Settings, load
from mcu.media import capabilities
from mcu.net import seccomp
from mcu.storage.migrate import migrate

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def settings(tmp_path: Path, **sections: dict[str, Any]) -> Settings:
    return load(over={"data": {"directory": tmp_path / "data"}, **sections})


def test_a_free_port_is_ok_and_a_taken_one_says_what_to_do(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0, "server") as sock:
        port = sock.getsockname()[1]
        taken, free = checks.ports(settings(tmp_path, server={"port": port}, operations={"port": 0}))
    assert (taken.verdict, free.verdict) == (Verdict.FAIL, Verdict.OK)
    assert f"port {port} on 127.0.0.1 is taken" in taken.text


def certificate(tmp_path: Path, *names: str, begins: datetime, days: int) -> Line:
    cert, key = make_certificate(tmp_path, *names, begins=begins, days=days)
    server = {"tls_cert": cert, "tls_key": key, "public_url": "https://meet.example"}
    return checks.certificate(settings(tmp_path, server=server), NOW)


@pytest.mark.parametrize("name", ["meet.example", "*.example"])
def test_a_certificate_that_holds_is_ok(tmp_path: Path, name: str) -> None:
    line = certificate(tmp_path, name, begins=NOW - timedelta(days=1), days=60)
    assert (line.verdict, line.text.rpartition(" ")[2]) == (Verdict.OK, "2027-01-19")


@pytest.mark.parametrize(
    ("begins", "days", "verdict", "says"),
    [
        (NOW - timedelta(days=100), 90, Verdict.FAIL, "expired 2026-11-11: renew it"),
        (NOW + timedelta(days=1), 90, Verdict.FAIL, "is not valid before 2026-11-22: check the clock"),
        (NOW - timedelta(days=80), 90, Verdict.ADVICE, "expires in 10 days: renew it"),
    ],
)
def test_a_certificate_past_its_time_or_soon_to_be_says_what_to_do(
    tmp_path: Path, begins: datetime, days: int, verdict: Verdict, says: str
) -> None:
    line = certificate(tmp_path, "meet.example", begins=begins, days=days)
    assert line.verdict is verdict
    assert says in line.text


@pytest.mark.parametrize("name", ["other.example", "*.meet.example", "*.other"])
def test_a_certificate_for_another_name_says_so(tmp_path: Path, name: str) -> None:
    line = certificate(tmp_path, name, begins=NOW - timedelta(days=1), days=60)
    assert line.verdict is Verdict.FAIL
    assert "is not for meet.example" in line.text


def test_a_file_that_is_no_certificate_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("nothing")
    server = {"tls_cert": tmp_path / "x.pem", "tls_key": tmp_path / "x.pem"}
    assert checks.certificate(settings(tmp_path, server=server), NOW).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("server", "verdict"),
    [
        ({}, Verdict.ADVICE),
        ({"host": "0.0.0.0"}, Verdict.FAIL),
        ({"host": "192.0.2.1"}, Verdict.FAIL),
        ({"public_url": "http://meet.example"}, Verdict.FAIL),
        ({"public_url": "https://meet.example"}, Verdict.OK),
    ],
)
def test_an_address_that_browsers_give_no_camera_fails(
    tmp_path: Path, server: dict[str, Any], verdict: Verdict
) -> None:
    assert checks.secure_context(settings(tmp_path, server=server)).verdict is verdict


def test_the_codecs_are_there_and_one_that_is_not_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.codecs().verdict is Verdict.OK
    monkeypatch.setattr(capabilities, "CODECS", {"libopus": "Opus", "libnothing": "Nothing"})
    line = checks.codecs()
    assert line.verdict is Verdict.FAIL
    assert "no encoder for Nothing:" in line.text


def test_workers_have_walls_here_and_where_they_cannot_the_advice_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.walls().verdict is Verdict.OK
    monkeypatch.setattr(seccomp, "_LIBRARY", "libseccomp-that-is-not-there.so")
    line = checks.walls()
    assert line.verdict is Verdict.ADVICE
    assert "libseccomp-that-is-not-there.so" in line.text


def test_a_database_is_ok_before_its_first_start_and_once_it_is_migrated(tmp_path: Path) -> None:
    own = settings(tmp_path)
    own.data.directory.mkdir()
    assert checks.database(own).verdict is Verdict.OK
    (own.data.directory / "mcu.sqlite3").touch()
    empty = checks.database(own)
    assert empty.verdict is Verdict.FAIL
    assert "run `mcu migrate`" in empty.text
    asyncio.run(migrate(own.database_url))
    assert checks.database(own).verdict is Verdict.OK


def test_a_database_that_does_not_answer_fails_without_its_password(tmp_path: Path) -> None:
    own = settings(tmp_path, database={"url": "postgresql+asyncpg://mcu:hunter2@127.0.0.1:1/mcu"})
    line = checks.database(own)
    assert line.verdict is Verdict.FAIL
    assert "hunter2" not in line.text


def test_a_clock_from_before_this_program_fails() -> None:
    assert checks.time_of_day(datetime(2020, 1, 1, tzinfo=UTC)).verdict is Verdict.FAIL
    assert checks.time_of_day(NOW).verdict is not Verdict.FAIL


def test_a_web_client_that_is_not_built_fails(tmp_path: Path) -> None:
    assert checks.web_client(tmp_path).verdict is Verdict.FAIL
    (tmp_path / "index.html").touch()
    assert checks.web_client(tmp_path).verdict is Verdict.OK


def test_a_data_directory_that_others_can_read_fails(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert "chmod 700" in checks.data_directory(tmp_path).text
    tmp_path.chmod(0o700)
    assert checks.data_directory(tmp_path).verdict is Verdict.OK
