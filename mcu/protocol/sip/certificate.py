"""Whom a certificate is for (RFC 5922, section 7): domains, addresses, and users of a domain."""

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.uri import SipUri, parse_uri


@dataclass(frozen=True, slots=True)
class Identities:
    """What a certificate that has been verified says of who shows it. Names are in lower case.

    `hosts`: its DNS names, which are those of devices too, whatever `domains` are.
    """

    domains: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    users: frozenset[tuple[str, str]] = frozenset()  # user and domain

    def is_for(self, name: str) -> bool:
        """Whether it proves this domain or address. A name with a star stands for nothing (section 7.2)."""
        try:
            return str(ipaddress.ip_address(name)) in self.addresses
        except ValueError:
            return name.lower() in self.domains

    def is_users(self, user: str, domain: str) -> bool:
        """Whether it is this user's: by `sip:user@domain`, or `user.domain` as the name of a device."""
        return (user, domain) in self.users or f"{user}.{domain}" in self.hosts

    def __str__(self) -> str:
        return ", ".join(sorted(self.domains | self.addresses)) or "nobody"


def identities(shown: Mapping[str, Any] | None) -> Identities:
    """Of what `ssl.SSLSocket.getpeercert` gives, which is empty where nothing was verified. The subject is not asked.

    URIs are domains where they name no user; DNS names are where there is no such URI.
    """
    names: Sequence[tuple[str, str]] = (shown or {}).get("subjectAltName", ())
    uris = [uri for kind, text in names if kind == "URI" and (uri := _uri(text)) is not None]
    hosts = frozenset(text.lower() for kind, text in names if kind == "DNS" and "*" not in text)
    domains = frozenset(uri.host for uri in uris if uri.user is None)
    addresses = frozenset(
        str(ipaddress.ip_address(text.strip())) for kind, text in names if kind == "IP Address" and text[:1] != "<"
    )
    users = frozenset((uri.user, uri.host) for uri in uris if uri.user is not None)
    return Identities(domains or hosts, hosts, addresses, users)


def _uri(text: str) -> SipUri | None:
    try:
        uri = parse_uri(text)
    except Malformed:
        return None
    return uri if isinstance(uri, SipUri) and not uri.secure else None
