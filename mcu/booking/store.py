"""What the rest of the service asks of a database, as Protocols. Only `mcu.storage` knows SQL.

    async with store.reading() as tx:
        meeting = await tx.meetings.by_number("482915370")
    async with store.writing() as tx:
        await tx.rooms.open(run)

A writing transaction is durable (fsynced) when the block has ended without an error; with an error nothing of it
remains. Blocks are short: nothing but the database is awaited inside one.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from mcu.booking.endpoints import Endpoint
from mcu.booking.meeting import ExternalId, Layout, Meeting, MeetingState
from mcu.errors import Conflict
from mcu.ids import EndpointId, MeetingId, NoticeId, RoomId

T = TypeVar("T")


class Stale(Conflict):
    """Somebody else changed it since it was read (RFC 9110 section 15.5.13)."""

    code, title = "stale", "Somebody else has changed this since you read it"
    http = 412


class Taken(Conflict):
    """Something unique (an id, a number, an external id, an idempotency key) is in use."""

    code, title = "taken", "That name is in use"


@dataclass(frozen=True, kw_only=True)
class PageRequest:
    """`after`: the id of the last item of the page before; items come in the order of their ids, oldest first."""

    size: int = 50
    after: str = ""


@dataclass(frozen=True, kw_only=True)
class Page(Generic[T]):
    """`last`: the id to ask on from; empty when there is no more."""

    items: Sequence[T]
    last: str = ""


@dataclass(frozen=True, kw_only=True)
class MeetingFilter:
    """Every condition must hold. `begins_before`/`ends_after` let a standing meeting through. `now` is for `states`."""

    now: datetime
    begins_before: datetime | None = None
    ends_after: datetime | None = None
    states: frozenset[MeetingState] = frozenset()
    external_id: ExternalId | None = None
    updated_since: datetime | None = None
    organisation: str = ""  # "": everybody's


@dataclass(frozen=True, kw_only=True)
class RoomRun:
    """One run of a meeting: the room, from the first leg to the end."""

    id: RoomId
    meeting: MeetingId
    started_at: datetime
    ended_at: datetime | None = None
    locked: bool = False
    layout: Layout = "auto"


@dataclass(frozen=True, kw_only=True)
class StoredNotice:
    """A notice record (S5.3-7) as it last was. `record` is JSON, written by the conference layer."""

    id: NoticeId
    room: RoomId
    at: datetime
    record: bytes


@dataclass(frozen=True, kw_only=True)
class StoredReply:
    """What a request with an Idempotency-Key was answered. `fingerprint` is of the request, never its body."""

    key: str
    fingerprint: bytes
    at: datetime
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class StoredBinding:
    """Where an endpoint is reached by datagrams; a connection does not outlive us.

    `kept_until` is later than it holds, so that not every refresh of `granted_s` need be written.
    """

    endpoint: EndpointId
    contact: str  # as it was registered
    host: str
    port: int
    call_id: str
    path: Sequence[str]
    granted_s: int
    kept_until: datetime


class MeetingStore(Protocol):
    """Meetings with their participants: one aggregate, one version."""

    async def get(self, name: MeetingId, *, lock: bool = False) -> Meeting:
        """Raises `NotFound`. `lock`: nobody else changes it before the transaction ends."""
        ...

    async def by_number(self, number: str) -> Meeting | None: ...

    async def by_external_id(self, name: ExternalId, organisation: str) -> Meeting | None:
        """Among that organisation's: no other's ids stand in the way of its own."""
        ...

    async def add(self, meeting: Meeting) -> None:
        """Raises `Taken` if its id or number is in use, or its external id in its organisation."""
        ...

    async def replace(self, meeting: Meeting) -> None:
        """Writes it whole. Raises `Stale` unless `meeting.version` is one more than the stored one."""
        ...

    async def page(self, wanted: MeetingFilter, page: PageRequest) -> Page[Meeting]: ...


class RoomStore(Protocol):
    """Runs of meetings."""

    async def open(self, run: RoomRun) -> None:
        """Raises `Taken` if the meeting has a room that runs."""
        ...

    async def update(self, run: RoomRun) -> None:
        """Writes it whole. Raises `NotFound`."""
        ...

    async def get(self, name: RoomId) -> RoomRun:
        """Raises `NotFound`."""
        ...

    async def running(self) -> Sequence[RoomRun]:
        """Those without an end: after a crash of the control process, the ones to end or to open again."""
        ...

    async def page(self, meeting: MeetingId | None, page: PageRequest) -> Page[RoomRun]: ...


class NoticeStore(Protocol):
    """Notice records of rooms."""

    async def save(self, notices: Sequence[StoredNotice]) -> None:
        """Adds them, or writes them over."""
        ...

    async def page(self, room: RoomId, page: PageRequest) -> Page[StoredNotice]: ...


class ReplyStore(Protocol):
    """Replies to requests with an Idempotency-Key."""

    async def get(self, key: str, since: datetime) -> StoredReply | None:
        """The reply, unless it is older than `since`."""
        ...

    async def add(self, reply: StoredReply, since: datetime) -> None:
        """Forgets those older than `since`. Raises `Taken` if the key is in use."""
        ...


class EndpointStore(Protocol):
    """Telephones and room systems of our own, and where they are reached."""

    async def all(self) -> Sequence[Endpoint]: ...

    async def page(self, page: PageRequest, organisation: str = "") -> Page[Endpoint]:
        """`organisation`: whose; "": everybody's."""
        ...

    async def add(self, endpoint: Endpoint) -> None:
        """Raises `Taken` if its name or number is in use in its organisation."""
        ...

    async def remove(self, endpoint: EndpointId, organisation: str = "") -> None:
        """With its bindings. Raises `NotFound`, also where it is another organisation's than the one that is given."""
        ...

    async def bindings(self) -> Sequence[StoredBinding]: ...

    async def keep(self, endpoint: EndpointId, kept: Sequence[StoredBinding]) -> None:
        """In place of those that were. Raises `Unavailable`, and `NotFound` where the endpoint is no more."""
        ...


class Transaction(Protocol):
    """All stores, in one transaction."""

    @property
    def meetings(self) -> MeetingStore: ...

    @property
    def rooms(self) -> RoomStore: ...

    @property
    def notices(self) -> NoticeStore: ...

    @property
    def replies(self) -> ReplyStore: ...

    @property
    def endpoints(self) -> EndpointStore: ...


class Store(Protocol):
    """The database."""

    def reading(self) -> AbstractAsyncContextManager[Transaction]: ...

    def writing(self) -> AbstractAsyncContextManager[Transaction]: ...


class MeetingListener(Protocol):
    """Who must hear of a change to a booking: the conference layer, for the rooms that run.

    Called after the change is durable, with the meeting as it is now; a cancelled one has `cancelled_at`. It must
    return soon and raises nothing.
    """

    async def meeting_changed(self, meeting: Meeting) -> None: ...
