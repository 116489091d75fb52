"""Reads the settings: a TOML file, over it the environment, over that the command line.

What nobody knows is refused by name, with the nearest name that is known. Values are never repeated in an error: they
may be secrets.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

from pydantic import BaseModel, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableVariable

from mcu.config.fields import Section
from mcu.config.organisations import Organisation
from mcu.config.sections import (
    Auth,
    Data,
    Database,
    Logging,
    Media,
    Operations,
    Sentry,
    Server,
    Turn,
)
from mcu.config.sip import Sip
from mcu.errors import McuError

PREFIX = "MCU_"
CONFIG_VARIABLE = "MCU_CONFIG"
OTHER_VARIABLES = frozenset({CONFIG_VARIABLE, "MCU_URL", "MCU_TOKEN"})  # of commands, not settings
DEFAULT_FILE = Path("mcu.toml")


class SettingsError(McuError):
    """The settings cannot be used. `problems` says of each which one and why, one line each."""

    code, title = "settings", "The settings cannot be used"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Settings(BaseSettings):
    """All sections. Only `mcu.app` and `mcu.cli` hold the whole; every other part is given its own."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )
    file_values: ClassVar[dict[str, Any]] = {}  # what the TOML file says, below the environment

    server: Server = Field(default_factory=Server)
    operations: Operations = Field(default_factory=Operations)
    data: Data = Field(default_factory=Data)
    database: Database = Field(default_factory=Database)
    media: Media = Field(default_factory=Media)
    turn: Turn = Field(default_factory=Turn)
    sip: Sip = Field(default_factory=Sip)
    auth: Auth = Field(default_factory=Auth)
    logging: Logging = Field(default_factory=Logging)
    sentry: Sentry = Field(default_factory=Sentry)
    organisations: tuple[Organisation, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        every = [(one.id, *one.domains, *one.prefixes) for one in self.organisations]
        said = [part for one in every for part in one]
        if len(set(said)) < len(said):
            raise ValueError("organisations must have different ids, domains and prefixes")
        return self

    @model_validator(mode="after")
    def _organisations_refer_to_what_there_is(self) -> Self:
        ids, trunks = {one.id for one in self.organisations}, {one.name for one in self.sip.trunks}
        if any(one.organisation and one.organisation not in ids for one in self.sip.numbers):
            raise ValueError("sip.numbers name an organisation that organisations do not have")
        if any(set(one.trunks) - trunks for one in self.organisations):
            raise ValueError("organisations name a trunk that sip.trunks do not have")
        return self

    @model_validator(mode="after")
    def _ports_for_calls(self) -> Self:
        if self.sip.addresses and not self.media.rtp_first_port:
            raise ValueError("sip.addresses needs media.rtp_first_port and media.rtp_last_port")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, InitSettingsSource(settings_cls, cls.file_values)

    @property
    def database_url(self) -> str:
        """With its password, if it has one: for the storage only."""
        if self.database.url is not None:
            return self.database.url.get_secret_value()
        return f"sqlite+aiosqlite:///{self.data.directory.absolute() / 'mcu.sqlite3'}"

    @property
    def key_file(self) -> Path:
        """Where the server's own signing key is."""
        return self.auth.key_file or self.data.directory / "auth.pem"

    def public_url(self, port: int) -> str:
        """What join links begin with, without a slash at the end, when `port` is the one that is listened on."""
        if self.server.public_url:
            return self.server.public_url
        scheme = "https" if self.server.tls_cert else "http"
        host = "localhost" if self.server.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else self.server.host
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def sections() -> dict[str, type[Section]]:
    """The class of each section by its name, in the order of the reference."""
    annotations = {name: field.annotation for name, field in Settings.model_fields.items()}
    return {name: one for name, one in annotations.items() if isinstance(one, type) and issubclass(one, Section)}


def lists() -> dict[str, type[Section]]:
    """The same of the lists of tables that are in no section."""
    kinds = {name: get_args(field.annotation)[:1] for name, field in Settings.model_fields.items()}
    return {name: kind for name, (kind,) in ((name, one) for name, one in kinds.items() if one)}


def load(path: Path | None = None, over: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """The settings of this process. `over` is what the command line says, by section and key.

    Raises `SettingsError` naming every setting that is unknown or cannot be, and the file when it cannot be read.
    """
    file = _find_file(path)
    values = _read_toml(file) if file else {}
    problems = [*_unknown_in_file(values, file), *_unknown_in_environment(os.environ)]
    if problems:
        raise SettingsError(problems)
    here = type("Settings", (Settings,), {"file_values": values, "__annotations__": {}, "__module__": __name__})
    try:
        settings: Settings = here(**{name: dict(section) for name, section in (over or {}).items()})
    except ValidationError as error:
        raise SettingsError([_explain(dict(problem)) for problem in error.errors(include_input=False)]) from None
    except UnreadableVariable as error:
        raise SettingsError([str(error)]) from None
    return settings


def _find_file(path: Path | None) -> Path | None:
    """The file that was asked for, or the one in this directory if there is one."""
    asked = path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    if asked is not None and not asked.is_file():
        raise SettingsError([f"{asked}: there is no such file"])
    return asked or (DEFAULT_FILE if DEFAULT_FILE.is_file() else None)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{path}: is not TOML: {error}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: cannot be read: {type(error).__name__}"]) from None


def _known() -> list[str]:
    return [*(f"{name}.{key}" for name, section in sections().items() for key in section.model_fields), *lists()]


def _suggest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def _unknown_in_file(values: dict[str, Any], file: Path | None) -> Iterator[str]:
    """One line for each key that no section has."""
    for name, table in values.items():
        section = sections().get(name)
        if name in lists():
            if not isinstance(table, list):
                yield f"{file}: {name} is a list of tables: write [[{name}]]"
        elif section is None:
            yield f"{file}: {name} is not a section{_suggest(name, [*sections(), *lists()])}"
        elif not isinstance(table, dict):
            yield f"{file}: {name} is a section: write [{name}]"
        else:
            for key in table.keys() - section.model_fields.keys():
                yield f"{file}: {name}.{key} is not a setting{_suggest(f'{name}.{key}', _known())}"


def _unknown_in_environment(environ: Mapping[str, str]) -> Iterator[str]:
    """One line for each MCU_ variable that no setting has."""
    known = [_variable(name) for name in _known()]
    for variable in environ:
        upper = variable.upper()
        if upper.startswith(PREFIX) and upper not in OTHER_VARIABLES and upper not in known:
            yield f"environment: {variable} is not a setting{_suggest(upper, known)}"


def _variable(name: str) -> str:
    """MCU_SERVER__PORT of server.port."""
    return PREFIX + name.upper().replace(".", "__")


def _explain(problem: dict[str, Any]) -> str:
    """`server.port (or MCU_SERVER__PORT): Input should be less than or equal to 65535`.

    In a list of tables: `sip.trunks (or MCU_SIP__TRUNKS), 2, hosts, 1: …`, counted from one. Where settings of several
    sections do not go together, what is said names them.
    """
    said = str(problem["msg"]).removeprefix("Value error, ")
    if not problem["loc"]:
        return said
    depth = 1 if problem["loc"][:1] and problem["loc"][0] in lists() else 2
    where = ".".join(str(part) for part in problem["loc"][:depth])
    known = where in _known()
    variable = f" (or {_variable(where)})" if known else ""
    inside = "".join(f", {part + 1}" if isinstance(part, int) else f", {part}" for part in problem["loc"][depth:])
    return f"{where}{variable}{inside}: {said}"


def shown(settings: BaseModel) -> dict[str, Any]:
    """Every value as text for people; a secret as asterisks, or nothing where none is set."""
    return {
        name: shown(value) if isinstance(value, BaseModel) else _plain(value)
        for name, value in ((name, getattr(settings, name)) for name in type(settings).model_fields)
    }


def _plain(value: object) -> object:
    if isinstance(value, SecretStr | Path):
        return str(value)
    if isinstance(value, tuple):
        return [shown(one) if isinstance(one, BaseModel) else one for one in value]
    return value
