"""The settings: what is read from where, and what is refused."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from mcu.config.reference import reference
from mcu.config.settings import Settings, SettingsError, _known, lists, load, sections, shown

CANARY = "hunter2-canary"


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MCU_CONFIG", raising=False)


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def problems(path: Path | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path)
    return "\n".join(caught.value.problems)


def test_without_any_file_every_setting_has_a_default(tmp_path: Path) -> None:
    settings = load()
    assert (settings.server.port, settings.media.width, settings.media.height, settings.media.fps) == (
        8080,
        1280,
        720,
        30,
    )
    assert settings.media.workers >= 1
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/.local/share/mcu/mcu.sqlite3"


def test_mcu_toml_in_the_working_directory_is_read(tmp_path: Path) -> None:
    write(tmp_path / "mcu.toml", "[server]\nport = 9001\n")
    assert load().server.port == 9001


def test_a_named_file_goes_before_the_one_in_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "mcu.toml", "[server]\nport = 9001\n")
    other = write(tmp_path / "other.toml", "[server]\nport = 9002\n")
    assert load(other).server.port == 9002
    monkeypatch.setenv("MCU_CONFIG", str(other))
    assert load().server.port == 9002


def test_the_environment_goes_before_the_file_and_the_command_line_before_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "a.toml", "[server]\nport = 1\nhost = '::1'\n[media]\nfps = 25\n")
    monkeypatch.setenv("MCU_SERVER__PORT", "2")
    assert (load(file).server.port, load(file).server.host, load(file).media.fps) == (2, "::1", 25)
    assert load(file, {"server": {"port": 3}}).server.port == 3
    assert load(file, {"server": {"port": 3}}).server.host == "::1"


def test_a_list_in_the_environment_is_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCU_MEDIA__ADDRESSES", "192.0.2.1, 2001:db8::1")
    assert load().media.addresses == ("192.0.2.1", "2001:db8::1")


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCU_SENTRY__DSN", "")
    assert load().sentry.dsn is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[server]\nprot = 1\n", "server.prot is not a setting; did you mean server.port?"),
        ("[sever]\nport = 1\n", "sever is not a section; did you mean server?"),
        ("server = 1\n", "server is a section: write [server]"),
        ("[server]\nport = 70000\n", "server.port (or MCU_SERVER__PORT): Input should be less than or equal to 65535"),
        ("[server\n", "is not TOML"),
        ("[server]\ntls_cert = 'x'\n", "server: tls_cert and tls_key are given both or neither"),
        ("[media]\naddresses = ['example.com']\n", "media.addresses"),
        ("[media]\nwidth = 1279\n", "media.width"),
        ("[database]\nurl = 'mysql://x'\n", "database: url must begin with postgresql+asyncpg://"),
    ],
)
def test_a_wrong_file_is_refused_by_the_name_of_what_is_wrong(tmp_path: Path, text: str, named: str) -> None:
    assert named in problems(write(tmp_path / "a.toml", text))


def test_settings_of_two_sections_that_do_not_go_together_are_both_named(tmp_path: Path) -> None:
    said = problems(write(tmp_path / "a.toml", "[sip]\naddresses = ['127.0.0.1']\n"))
    assert said == "sip.addresses needs media.rtp_first_port and media.rtp_last_port"


def test_every_wrong_setting_is_named_at_once(tmp_path: Path) -> None:
    said = problems(write(tmp_path / "a.toml", "[server]\nprot = 1\nhots = 2\n[medai]\n"))
    assert {"server.prot", "server.hots", "medai"} <= {line.split()[1] for line in said.splitlines()}


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("MCU_SERVER__PROT", "MCU_SERVER__PORT"),
        ("MCU_SERVER_PORT", "MCU_SERVER__PORT"),
        ("MCU_SEVRER__PORT", "MCU_SERVER__PORT"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_one_that_was_meant(
    monkeypatch: pytest.MonkeyPatch, variable: str, meant: str
) -> None:
    monkeypatch.setenv(variable, "1")
    assert problems() == f"environment: {variable} is not a setting; did you mean {meant}?"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path / "no.toml") == f"{tmp_path}/no.toml: there is no such file"


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    settings = load(
        write(
            tmp_path / "a.toml",
            f"[sentry]\ndsn='https://{CANARY}@s/1'\n[database]\nurl='postgresql+asyncpg://u:{CANARY}@h/d'\n",
        )
    )
    assert CANARY in settings.database_url
    assert (
        CANARY not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()} {shown(settings)}"
    )


@pytest.mark.parametrize(
    "text", ["[database]\nurl = 'mysql://u:{}@h'", "[server]\nport = '{}'", "[sentry]\ndsn=['{}']"]
)
def test_a_refused_value_is_not_repeated(tmp_path: Path, text: str) -> None:
    assert CANARY not in problems(write(tmp_path / "a.toml", text.format(CANARY)))


def test_settings_cannot_be_changed_once_read() -> None:
    with pytest.raises(ValidationError):
        load().server.port = 1  # type: ignore[misc]


def test_the_public_address_is_made_of_what_is_listened_on_unless_it_is_given(tmp_path: Path) -> None:
    assert load().public_url(8080) == "http://localhost:8080"
    assert load(over={"server": {"public_url": "https://meet.example/"}}).public_url(1) == "https://meet.example"
    tls = {"tls_cert": tmp_path / "c", "tls_key": tmp_path / "k", "host": "192.0.2.7"}
    assert load(over={"server": tls}).public_url(443) == "https://192.0.2.7:443"


def test_the_reference_has_every_setting_with_what_it_is() -> None:
    page = reference()
    for name in _known():
        section, _, key = name.partition(".")
        assert (f"| `{key}` | `MCU_{section.upper()}__{key.upper()}` |" if key else f"## [[{section}]]") in page
    kinds = [*sections().values(), *lists().values()]
    assert all(field.description for kind in kinds for field in kind.model_fields.values())


def test_organisations_are_a_list_of_tables_and_each_is_there_once(tmp_path: Path) -> None:
    text = '[[organisations]]\nid = "norr"\nname = "Region Norr"\n'
    assert [one.id for one in load(write(tmp_path / "a.toml", text)).organisations] == ["norr"]
    assert "different ids, domains" in problems(write(tmp_path / "b.toml", text + text))
    wrong = problems(write(tmp_path / "c.toml", text.replace("id =", "ide =")))
    assert "organisations (or MCU_ORGANISATIONS), 1, ide: Extra inputs" in wrong
    assert "write [[organisations]]" in problems(write(tmp_path / "d.toml", text.replace("[[", "[").replace("]]", "]")))


@pytest.mark.policy("S5.3-3")
def test_no_setting_is_about_notices() -> None:
    words = ("notice", "announce", "sound", "tone", "silent", "quiet", "hidden", "ghost")
    assert [name for name in _known() if any(word in name for word in words)] == []


def test_settings_is_what_load_returns() -> None:
    assert isinstance(load(), Settings)


def test_the_page_in_the_documentation_is_what_the_settings_say() -> None:
    page = Path(__file__).parents[3] / "docs" / "configuration.md"
    assert page.read_text("utf-8") == reference(), "run: python -m mcu.config.reference > docs/configuration.md"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('urls = ["turn:t.example"]', "given together"),
        ('secret = "x"', "given together"),
        ('urls = ["turn:t.example"]\nusername = "x"', "both or neither"),
        ('urls = ["turn:t.example"]\nsecret = "x"\nusername = "x"\ncredential = "x"', "not both"),
        ('urls = ["stun:t.example"]\nsecret = "x"', "must be like turn:"),
        ('urls = ["turn:t.example?transport=sctp"]\nsecret = "x"', "must be like turn:"),
    ],
)
def test_relays_without_the_right_credentials_are_refused(tmp_path: Path, table: str, said: str) -> None:
    assert said in problems(write(tmp_path / "one.toml", f"[turn]\n{table}\n"))


def test_a_relays_secret_is_never_shown(tmp_path: Path) -> None:
    file = write(tmp_path / "one.toml", f'[turn]\nurls = ["turns:[2001:db8::1]:443"]\nsecret = "{CANARY}"\n')
    assert CANARY not in f"{load(file)!r}{shown(load(file))}"
