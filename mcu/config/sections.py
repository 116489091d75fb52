"""Every setting, by section: its name with its unit, its default with the reason, and what it may be.

A part of the program is given its own section, never the whole tree. There is no setting here that silences or shortens
a notice, and there must not be one (S5.3-3).

SIP's and the organisations' are in `sip.py` and `organisations.py`.
"""

import os
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from mcu.config.fields import Addresses, Even, HttpUrl, Networks, Port, RelayUrls, Section


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
