"""Telephones and room systems of our own: who they are, by which names they are called, and whether they can be.

`Directory` is every one of them in memory, as the store has them: calls and registrations look there many times a
second, and they seldom change.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from mcu.ids import EndpointId

Language = Literal["sv", "en"]
Digest = Literal["SHA-256", "MD5"]
State = Literal["offline", "online", "busy"]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """`name` is the user of its URI and of its password, `number` is dialled and has digits alone: its organisation's.

    `secret`: the digests of its password, one for each algorithm, sealed.
    """

    id: EndpointId
    name: str
    number: str | None
    display_name: str = field(repr=False)
    language: Language
    secret: bytes = field(repr=False)
    created_at: datetime
    organisation: str = ""


@dataclass(frozen=True, kw_only=True)
class Contact:
    """One way by which an endpoint can be reached now."""

    endpoint: EndpointId
    uri: str
    transport: str
    address: str  # that it comes from
    instance: str  # of the device; "": it says none
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Explained:
    """What a call leads to, and by which rules: each step is a sentence."""

    route: str
    steps: Sequence[str]


class Switchboard(Protocol):
    """What the rest of the service may ask of the telephones' side."""

    def domain_of(self, organisation: str) -> str:
        """Of the URIs of its endpoints, or of those of none; "": it has none, or there is no SIP."""
        ...

    def secret(
        self, endpoint: EndpointId, name: str, organisation: str, password: str, digests: Sequence[Digest]
    ) -> bytes:
        """What is kept of a password: these digests of it."""
        ...

    def state(self, endpoint: EndpointId) -> State: ...

    def contacts(self, organisation: str = "") -> Sequence[Contact]:
        """Where endpoints are reached: an organisation's, or everybody's."""
        ...

    @property
    def rules(self) -> Sequence[str]:
        """Of the dial plan, in words."""
        ...

    def explain(self, dialled: str, *, stranger: bool, organisation: str = "") -> Explained:
        """Where a number, a name or a URI leads; dialled by a stranger, or by an organisation's endpoint.

        Raises `Invalid`.
        """
        ...

    def added(self, endpoint: Endpoint) -> None:
        """It is stored."""
        ...

    def removed(self, endpoint: EndpointId) -> None:
        """It is stored no more."""
        ...


class Directory:
    """Every endpoint."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._by_name: dict[tuple[str, str], Endpoint] = {}  # by organisation and name
        self._by_number: dict[tuple[str, str], Endpoint] = {}
        self._by_id: dict[EndpointId, Endpoint] = {}
        for endpoint in endpoints:
            self.put(endpoint)

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(list(self._by_id.values()))

    def get(self, endpoint: EndpointId) -> Endpoint | None:
        return self._by_id.get(endpoint)

    def named(self, name: str, organisation: str = "") -> Endpoint | None:
        return self._by_name.get((organisation, name))

    def called(self, user: str, organisation: str = "") -> Endpoint | None:
        """Whom a name or a number means in an organisation."""
        found = self._by_name.get((organisation, user))
        return found or self._by_number.get((organisation, user.removeprefix("+")))

    def put(self, endpoint: Endpoint) -> None:
        self._by_id[endpoint.id] = self._by_name[endpoint.organisation, endpoint.name] = endpoint
        if endpoint.number is not None:
            self._by_number[endpoint.organisation, endpoint.number] = endpoint

    def drop(self, endpoint: EndpointId) -> Endpoint | None:
        """Who it was."""
        gone = self._by_id.pop(endpoint, None)
        if gone is not None:
            del self._by_name[gone.organisation, gone.name]
            self._by_number.pop((gone.organisation, gone.number or ""), None)
        return gone
