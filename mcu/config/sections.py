"""Every setting, by section: its name with its unit, its default with the reason, and what it may be.

A part of the program is given its own section, never the whole tree. There is no setting here that silences or shortens
a notice, and there must not be one (S5.3-3).
"""

import ipaddress
import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    model_validator,
)
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


def _is_server(value: str) -> bool:
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


Addresses = Annotated[tuple[Annotated[str, AfterValidator(_address)], ...], NoDecode, BeforeValidator(_by_comma)]
Networks = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], NoDecode, BeforeValidator(_by_comma)]
RelayUrls = Annotated[tuple[Annotated[str, AfterValidator(_relay_url)], ...], NoDecode, BeforeValidator(_by_comma)]
Prefix = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{0,14}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]+$", to_lower=True)]
HttpUrl = Annotated[str | None, AfterValidator(_http_url)]


class Section(BaseModel):
    """One table of the TOML file. Its docstring is its text in the configuration reference."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def default_data_directory() -> Path:
    """Where a user's programs keep data (XDG base directory specification)."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "mcu"


class Server(Section):
    """The API, the web page and the WebSocket: one address and port."""

    host: str = Field("127.0.0.1", description="Address to listen on; `0.0.0.0` or `::` for all of them.")
    port: Port = Field(8080, description="TCP port; 0 takes a free one and says which.")
    public_url: HttpUrl = Field(
        None,
        description="What people's browsers reach the server as, for join links. By default made of host and port.",
    )
    tls_cert: Path | None = Field(None, description="PEM file with the certificate chain; without it, plain HTTP.")
    tls_key: Path | None = Field(None, description="PEM file with the certificate's private key.")
    trusted_proxies: Networks = Field(
        (),
        description="Networks whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed; nobody else's are.",
    )

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given both or neither")
        return self


class Operations(Section):
    """Metrics and health: a port of their own, so that it need not be reachable by those who meet."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8081, description="TCP port; 0 takes a free one and says which.")


class Data(Section):
    """Where the server keeps what is its own."""

    directory: Path = Field(
        default_factory=default_data_directory,
        description="For the SQLite database and the server's own keys. Made with mode 0700 if it is not there.",
    )


class Database(Section):
    """Where meetings are kept."""

    url: SecretStr | None = Field(
        None,
        description="`postgresql+asyncpg://…` or `sqlite+aiosqlite:///…`. By default SQLite in the data directory.",
    )

    @model_validator(mode="after")
    def _known_engine(self) -> Self:
        url = self.url.get_secret_value() if self.url else ""
        if url and not url.startswith(("postgresql+asyncpg://", "sqlite+aiosqlite:///")):
            raise ValueError("url must begin with postgresql+asyncpg:// or sqlite+aiosqlite:///")
        return self


class Media(Section):
    """What each media worker is told. Rooms are mixed at 48 kHz in ticks of 20 ms whatever is set here."""

    workers: int = Field(
        default_factory=lambda: len(os.sched_getaffinity(0)),
        ge=1,
        le=256,
        description="Media worker processes. By default one per core.",
    )
    worker_memory_mb: int = Field(
        2048,
        ge=256,
        le=1_048_576,
        description="Memory that one worker may keep, in MiB; about 100 without meetings, and some 10 more for each "
        "who sends pictures. One that keeps more is ended, and its meetings go on in another.",
    )
    addresses: Addresses = Field(
        (),
        description="IP addresses, IPv4 and IPv6, to offer browsers for media (ICE host candidates). By default all of "
        "this machine's; one that has one family serves that alone.",
    )
    port: Port = Field(
        0,
        description="UDP port for browsers' media, on each address: the first worker's; each further worker takes the "
        "next. 0 takes free ones, which no firewall can be told of.",
    )
    tcp_port: Port = Field(
        0,
        description="TCP port for browsers whose network lets no UDP through, on each address: the first worker's; "
        "each further worker takes the next. 0 takes the same number as `port`, where it is free.",
    )
    public_addresses: Addresses = Field(
        (),
        description="Addresses, IPv4 and IPv6, by which browsers reach this machine through a NAT that maps each port "
        "to the same port here. They are offered before its own.",
    )
    only_public_addresses: bool = Field(
        False, description="Offer the public addresses alone: the machine's own are nobody's business, or no use."
    )
    rtp_first_port: Port = Field(
        0, description="First UDP port of the range for media that is not a browser's; 0: there is no range."
    )
    rtp_last_port: Port = Field(
        0, description="Last UDP port of that range: two for each leg, and a share of it for each worker."
    )
    rtp_lost_s: int = Field(
        30,
        ge=5,
        le=3600,
        description="A call by telephone of which nothing comes for so long, neither sound nor RTCP, is hung up, in "
        "seconds. One that is on hold is not.",
    )
    worker_cores: float = Field(
        0,
        ge=0,
        le=64,
        description="How many cores' worth of meetings a worker takes, by estimate, before whoever asks for a picture "
        "without themselves gets the shared one. 0: its share of this machine's cores.",
    )
    width: Even = Field(1280, ge=320, le=1920, description="Width of the composed picture, in pixels.")
    height: Even = Field(720, ge=180, le=1080, description="Height of the composed picture, in pixels.")
    fps: int = Field(30, ge=5, le=30, description="Composed pictures per second.")
    loudest: int = Field(5, ge=2, le=16, description="How many talkers are mixed at a time; more would be noise.")
    resume_window_s: float = Field(
        60.0, ge=5, le=600, description="How long a lost participant's seat is kept, in seconds."
    )

    @model_validator(mode="after")
    def _ports_that_can_be(self) -> Self:
        if max(self.port, self.tcp_port) + self.workers - 1 > 65535:
            raise ValueError("port and tcp_port must leave room for a port for each worker below 65536")
        if self.only_public_addresses and not self.public_addresses:
            raise ValueError("only_public_addresses needs public_addresses")
        if self.rtp_first_port and self.rtp_last_port - self.rtp_first_port < 2 * self.workers:
            raise ValueError("rtp_last_port must leave each worker at least two ports from rtp_first_port on")
        return self


class Turn(Section):
    """TURN relays, such as coturn, for browsers that reach this server by no other way. None unless set.

    Whoever joins is given credentials for them, so let the relay reach this server's media ports and nothing else
    (coturn: `denied-peer-ip` and `allowed-peer-ip`). A browser behind a firewall that lets only TLS through needs a
    `turns:` address on port 443. One that has IPv6 alone gets an address of IPv4 from a relay, if it has one; a relay
    that has IPv6 alone must be told to give that (coturn: `allocation-default-address-family=keep`). Chromium on such a
    network that may use neither microphone nor camera hides its addresses, and comes in only by way of a relay.
    """

    urls: RelayUrls = Field(
        (),
        description="`turn:` and `turns:` addresses (RFC 7065), all of one relay: "
        "`turn:turn.example?transport=udp`, `turns:turn.example:443?transport=tcp`.",
    )
    secret: SecretStr | None = Field(
        None,
        description="Shared with the relay (coturn: `use-auth-secret`, `static-auth-secret`): credentials are made of "
        "it that end after `ttl_s`.",
    )
    ttl_s: int = Field(86_400, ge=300, le=604_800, description="How long made credentials hold, in seconds.")
    username: str = Field("", description="Instead of `secret`: one user name for everybody, for ever.")
    credential: SecretStr | None = Field(None, description="And its password.")

    @model_validator(mode="after")
    def _one_kind_of_credentials(self) -> Self:
        fixed = bool(self.username) and self.credential is not None
        if bool(self.username) != (self.credential is not None):
            raise ValueError("username and credential are given both or neither")
        if bool(self.urls) != (fixed or self.secret is not None):
            raise ValueError("urls and either secret, or username and credential, are given together")
        if fixed and self.secret is not None:
            raise ValueError("give secret, or username and credential, not both")
        return self


Keys = Literal["sdp", "dtls"]
KEYS = (
    "Where calls that the server makes have the keys of what is encrypted: `sdp`, written in the SDP (SDES), which is "
    "only as secret as the signalling; or `dtls` (DTLS-SRTP). "
)


class Trunk(Section):
    """One way to the telephone network. Calls over it go and come as `encryption` says, whatever `sip.encryption` is.

    Telephone numbers are called over trunks alone, and nobody but a host in a room, a booking, or a caller of the API
    with `rooms:control` calls anybody.
    """

    name: str = Field(min_length=1, max_length=40, description="In logs, metrics and `mcu doctor`.")
    hosts: tuple[Annotated[str, AfterValidator(_host)], ...] = Field(
        min_length=1,
        max_length=8,
        description="Host names or addresses, each with its port. A name without one is asked for its servers (SRV), "
        "which are tried as they say; an address without one has the usual port.",
    )
    transport: Literal["udp", "tcp", "tls"] = Field("udp", description="`tls` checks that the host's name is its own.")
    domain: str = Field("", description="Of its users and numbers; by default the first host.")
    registers: bool = Field(False, description="Whether to register there, as `user`.")
    user: str = Field("", description="Who the server is there.")
    password: SecretStr | None = Field(None, description="Of that user, where they ask (digest).")
    caller_id: str = Field(
        "", pattern=r"^(\+[1-9][0-9]{6,14})?$", description="The number that those who are called see, as `+46…`."
    )
    priority: int = Field(10, ge=0, le=1000, description="The lowest number is tried first.")
    prefixes: tuple[Prefix, ...] = Field(
        min_length=1, description="What may be called: `+46`, for instance. Nothing else is."
    )
    premium: bool = Field(
        False,
        description="Whether, within the prefixes, premium-rate numbers, satellites and their like may be called.",
    )
    codecs: tuple[Literal["opus", "g722", "pcma", "pcmu"], ...] = Field(
        (), description="To be offered; by default all."
    )
    encryption: Literal["required", "offered"] = Field(
        "required",
        description="`offered`: calls by it go in the clear, as gateways of telephone networks often want it.",
    )
    keys: Keys = Field("sdp", description=KEYS + "Calls that come choose for themselves.")
    verifies_callers: bool = Field(
        False,
        description="Whether the numbers of those who call over it are checked there: who calls from the phone of a "
        "booked participant is then shown by that name. Only where nobody else can send from its addresses.",
    )
    calls_max: int = Field(30, ge=1, le=10_000, description="Calls over it at a time, those that ring included.")

    @model_validator(mode="after")
    def _who_registers(self) -> Self:
        if self.registers and not (self.user and self.password):
            raise ValueError("registers needs user and password")
        return self


class SipNumber(Section):
    """A number or a name of this server: who dials it is in the voice menu, in a language, or straight in a meeting.

    Bookings show the telephone numbers that lead to each meeting.
    """

    number: str = Field(
        pattern=r"^(\+[1-9][0-9]{6,14}|[a-z][a-z0-9._-]{0,62})$",
        description="As `+46…`, also dialled with `00` or nothing before it; or a name in small letters.",
    )
    language: Literal["sv", "en"] = Field(
        "sv", description="In which the voice menu, or the meeting, speaks to the caller."
    )
    label: str = Field("", max_length=60, description="In invitations: `Stockholm`.")
    country: str = Field("", pattern=r"^([A-Z]{2})?$", description="In invitations: `SE` (ISO 3166-1).")
    meeting: str = Field(
        "",
        pattern=r"^([1-9][0-9]{8})?$",
        description="The number of the meeting that it leads to; by default the menu.",
    )
    organisation: str = Field(
        "", max_length=40, description="Whose it is; by default that whose `prefixes` fit, or the server's own."
    )


class SipZone(Section):
    """A network whose telephones are kept apart from others', such as the closed health-care network, or the Internet.

    Where there are zones, who is in none of them calls no other telephone and is called by none. Calls into meetings
    are everybody's: their media goes through this server in any case. Media between two zones does too.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$", description="In `reaches`, and in what `mcu dial-test` says.")
    networks: Networks = Field(
        min_length=1,
        description="Its addresses: `10.0.0.0/8`, for instance; `0.0.0.0/0` and `::/0` for all that are in no smaller "
        "network of another zone.",
    )
    direct: bool = Field(
        True, description="Whether media between two telephones of the zone goes straight from one to the other."
    )
    reaches: tuple[str, ...] = Field((), description="Other zones that its telephones may call.")
    address: Annotated[str, AfterValidator(lambda value: _address(value) if value else "")] = Field(
        "",
        description="Which of `media.addresses` its telephones send their media to; by default the first of their "
        "family.",
    )


class Sip(Section):
    """Telephones and room systems that dial in, and are called. There is no SIP unless addresses are set.

    A call to a meeting's number leads to that meeting, any other to a voice menu that asks for the number. Calls take
    their media ports from `media.rtp_first_port` to `media.rtp_last_port`.
    """

    addresses: Addresses = Field((), description="IP addresses, IPv4 and IPv6, to listen on.")
    port: Port = Field(5060, description="UDP and TCP port; 0 takes a free one.")
    tls_port: Port = Field(5061, description="TLS port; 0 takes a free one. Used where `tls_cert` is set.")
    floor_port: Port = Field(
        5070,
        description="UDP and TCP port of BFCP, by which room systems ask to share their screens, on the addresses of "
        "`media`; 0 takes a free one.",
    )
    floor_tls_port: Port = Field(5071, description="And of BFCP with TLS; used where `tls_cert` is set.")
    tls_cert: Path | None = Field(None, description="PEM file with the certificate chain.")
    tls_key: Path | None = Field(None, description="PEM file with the certificate's private key.")
    tls_clients_ca: Path | None = Field(
        None,
        description="PEM file with the authorities whose certificates endpoints may show instead of their password: "
        "`sip:NAME@DOMAIN` (URI) or `NAME.DOMAIN` (DNS) in subjectAltName says whose one is.",
    )
    tls_ca: Path | None = Field(
        None,
        description="PEM file with the authorities of the servers that are called by TLS; by default this machine's. "
        "A certificate must name the trunk's host, or the domain that was called.",
    )
    name: str = Field(
        "",
        description="Host name by which telephones reach this server, and the domain of those that register; by "
        "default the address. Those that register need new passwords when it changes.",
    )
    encryption: Literal["required", "offered"] = Field(
        "required", description="`offered` also takes calls in the clear, such as of a telephone network's gateway."
    )
    keys: Keys = Field("sdp", description=KEYS + "Of calls that no trunk takes; calls that come choose for themselves.")
    language: Literal["sv", "en"] = Field("sv", description="In which the voice menu begins.")
    call_domains: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_by_comma)] = Field(
        (),
        description="Domains and addresses whose SIP addresses rooms and our endpoints may call: `example.org`, "
        "`*.example.org`, or `*` for all. By default none.",
    )
    dns_server: str = Field(
        "",
        description="Address, and port, of the DNS server that is asked for names which are called: domains, and "
        "trunks' hosts. By default this machine's, after its file of hosts.",
    )
    calls_out_max: int = Field(30, ge=0, le=10_000, description="Calls that rooms may make at a time, in all.")
    calls_out_per_hour: int = Field(300, ge=0, le=1_000_000, description="And in an hour.")
    ring_s: float = Field(
        60.0, ge=5, le=180, description="How long somebody who is called may let it ring, in seconds."
    )
    person_s: float = Field(
        1.0,
        ge=0.2,
        le=10,
        description="Who answers faster than that after the first ring is a machine: such a seat is muted until a key "
        "is pressed there. In seconds.",
    )
    numbers: tuple[SipNumber, ...] = Field((), description="Numbers and names of its own: see [[sip.numbers]] below.")
    trunks: tuple[Trunk, ...] = Field((), description="Ways to the telephone network: see [[sip.trunks]] below.")
    zones: tuple[SipZone, ...] = Field(
        (), description="Networks whose telephones are kept apart: see [[sip.zones]] below. By default none are."
    )
    known: Networks = Field(
        (),
        description="Networks that are listened to however much comes from there: gateways to the telephone network, "
        "the proxy in front. All others are strangers, whom the limits below hold for.",
    )
    calls_per_second: float = Field(
        10.0, gt=0, le=1000, description="New calls of all strangers together; one address gets half of it at most."
    )
    calls_of_one: int = Field(30, ge=1, le=10_000, description="Calls at once from one stranger's address.")
    messages_per_second: float = Field(
        50.0, gt=0, le=100_000, description="Messages from one stranger's address; four seconds' worth at once."
    )
    prompts: Path | None = Field(
        None,
        description="Folder with recordings of your own, `sv/welcome.wav` and so on (16-bit WAV): they go before those "
        "that the build made of `mcu/media/spoken/sv.txt`.",
    )

    @property
    def domain(self) -> str:
        """Of the URIs of endpoints and meetings; "" where there is no SIP."""
        first = self.addresses[0] if self.addresses else ""
        return (self.name or (f"[{first}]" if ":" in first else first)).lower()

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key are given both or neither")
        if self.tls_clients_ca is not None and self.tls_cert is None:
            raise ValueError("tls_clients_ca needs tls_cert and tls_key")
        if self.dns_server and not _is_server(self.dns_server):
            raise ValueError("dns_server must be an IP address (IPv6 in brackets), and may have a port after a colon")
        if len({one.name for one in self.trunks}) < len(self.trunks):
            raise ValueError("trunks must have different names")
        if len({one.number for one in self.numbers}) < len(self.numbers):
            raise ValueError("each of the numbers may be there once")
        zones = {one.name for one in self.zones}
        if len(zones) < len(self.zones) or any(not zones.issuperset(one.reaches) for one in self.zones):
            raise ValueError("zones must have different names, and reach such as there are")
        return self


class Auth(Section):
    """Who may use the REST API: holders of tokens from an issuer, or of tokens made by `mcu token`."""

    issuer: str | None = Field(None, description="The `iss` of the OpenID Connect issuer whose tokens are accepted.")
    audience: str = Field("mcu-api", description="The `aud` that the issuer's tokens must hold.")
    jwks_url: HttpUrl = Field(None, description="Where the issuer's keys are fetched. Nothing is fetched without it.")
    organisation_claim: str = Field(
        "organisation",
        min_length=1,
        max_length=200,
        description="The claim of the issuer's tokens that holds the id of an organisation, where there are any.",
    )
    key_file: Path | None = Field(
        None, description="The server's own signing key (Ed25519, PEM). By default `auth.pem` in the data directory."
    )

    @model_validator(mode="after")
    def _whole_issuer(self) -> Self:
        if (self.issuer is None) != (self.jwks_url is None):
            raise ValueError("issuer and jwks_url are given both or neither")
        return self


class Logging(Section):
    """One line per event on standard error. Nobody's name, number, PIN or token is written at any level."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least that is written.")
    format: Literal["auto", "json", "console"] = Field(
        "auto", description="`auto` is coloured text on a terminal and JSON elsewhere."
    )


class Sentry(Section):
    """Reports of crashes. Off, and no connection made, until a DSN is given."""

    dsn: SecretStr | None = Field(None, description="Where crash reports are sent; without it none are.")
    environment: str = Field("production", description="The environment that reports are marked with.")
