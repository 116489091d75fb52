"""What a setting may be: the kinds that sections share, and the class of a section."""

import ipaddress
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_settings import NoDecode

RELAY_URL = re.compile(  # RFC 7065: scheme, host, port, transport
    r"(turns?):([\w.-]+|\[[0-9a-fA-F:.]+\])(?::(\d{1,5}))?(?:\?transport=(udp|tcp))?"
)
HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?")
Port = Annotated[int, Field(ge=0, le=65535)]
Even = Annotated[int, Field(multiple_of=2)]  # I420 halves both sides


def _by_comma(value: Any) -> Any:
    """`a, b` in an environment variable is what `["a", "b"]` is in TOML."""
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError as error:
        raise ValueError("is not an IP address") from error


def _network(value: str) -> str:
    try:
        return str(ipaddress.ip_network(value))
    except ValueError as error:
        raise ValueError("is not an IP network such as 10.0.0.0/8, with no bits set after the prefix") from error


def _host(value: str) -> str:
    if not HOST.fullmatch(value):
        raise ValueError("must be a host name or an IP address (IPv6 in brackets), and may have a port after a colon")
    return value


def is_server(value: str) -> bool:
    """Whether it is an IP address, with or without a port."""
    found = HOST.fullmatch(value)
    try:
        return found is not None and bool(ipaddress.ip_address(found[1].strip("[]")))
    except ValueError:
        return False


def _http_url(value: str | None) -> str | None:
    if value is not None and not value.startswith(("https://", "http://")):
        raise ValueError("must begin with https:// or http://")
    return value.rstrip("/") if value else value


def _relay_url(value: str) -> str:
    if not RELAY_URL.fullmatch(value):
        raise ValueError("must be like turn:host:port?transport=udp or turns:host:port?transport=tcp")
    return value


Address = Annotated[str, AfterValidator(lambda value: _address(value) if value else "")]  # or none
Addresses = Annotated[tuple[Annotated[str, AfterValidator(_address)], ...], NoDecode, BeforeValidator(_by_comma)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_by_comma)]
RelayUrls = Annotated[tuple[Annotated[str, AfterValidator(_relay_url)], ...], NoDecode, BeforeValidator(_by_comma)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_comma)]
Host = Annotated[str, AfterValidator(_host)]
Prefix = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,14}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+$", to_lower=True)]
HttpUrl = Annotated[str | None, AfterValidator(_http_url)]


class Section(BaseModel):
    """One table of the TOML file. Its docstring is its text in the configuration reference."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
