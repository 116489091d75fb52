"""The settings of SIP: `[sip]`, and its lists of trunks, numbers and zones."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from mcu.config.fields import Address, Addresses, Host, Names, Networks, Port, Prefix, Section, is_server

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
    hosts: tuple[Host, ...] = Field(
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
    address: Address = Field(
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
    floor_unused_s: float = Field(
        30.0,
        ge=1,
        description="Seconds after which a room system that was granted the floor and sends no picture loses it.",
    )
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
    call_domains: Names = Field(
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
        if self.dns_server and not is_server(self.dns_server):
            raise ValueError("dns_server must be an IP address (IPv6 in brackets), and may have a port after a colon")
        if len({one.name for one in self.trunks}) < len(self.trunks):
            raise ValueError("trunks must have different names")
        if len({one.number for one in self.numbers}) < len(self.numbers):
            raise ValueError("each of the numbers may be there once")
        zones = {one.name for one in self.zones}
        if len(zones) < len(self.zones) or any(not zones.issuperset(one.reaches) for one in self.zones):
            raise ValueError("zones must have different names, and reach such as there are")
        return self
