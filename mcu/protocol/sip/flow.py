"""The way to a peer, as the transport below knows it, and what messages say of it."""

import secrets
from typing import Protocol

from mcu.protocol.sip.values import MAGIC


class Flow(Protocol):
    """A connection, or a datagram socket and an address. Two are equal where they are the same way."""

    @property
    def transport(self) -> str:
        """UDP, TCP, TLS, WS or WSS."""
        ...

    @property
    def host(self) -> str:
        """Ours, as the peer reaches it: a name, or an address, IPv6 in brackets."""
        ...

    @property
    def port(self) -> int: ...

    @property
    def alias(self) -> bool:
        """Whether the peer may send requests of its own by it: it is ours, and has shown who we are (RFC 5923)."""
        ...


def is_reliable(flow: Flow) -> bool:
    """Whether the transport repeats by itself what is lost (RFC 3261, section 17)."""
    return flow.transport != "UDP"


def is_secure(flow: Flow) -> bool:
    return flow.transport in ("TLS", "WSS")


def is_web(flow: Flow) -> bool:
    """Whether it is a WebSocket, by which browsers come."""
    return flow.transport in ("WS", "WSS")


def via(flow: Flow) -> str:
    """The top Via of a request of ours, with a branch that is its own, and `rport` (RFC 3581)."""
    alias = ";alias" if flow.alias else ""
    return f"SIP/2.0/{flow.transport} {flow.host}:{flow.port};branch={MAGIC}{secrets.token_hex(12)};rport{alias}"


def contact(flow: Flow, *, sips: bool = False) -> str:
    """Where the peer reaches us, in this call. Of WebSockets there is one name alone (RFC 7118, section 5.4).

    `sips`: as such a call must have it (RFC 3261, sections 8.1.1.8 and 12.1.1); a way that is not secure has none.
    """
    scheme = "sips" if sips and is_secure(flow) else "sip"
    name = "ws" if is_web(flow) else flow.transport.lower()
    plain = flow.transport == "UDP" or (scheme == "sips" and name == "tls")
    return f"<{scheme}:{flow.host}:{flow.port}{'' if plain else f';transport={name}'}>"


def tag() -> str:
    return secrets.token_hex(8)
