"""The tables. Times are microseconds since 1970 in UTC: the same order and precision on every engine."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """A `datetime` with a zone in, the same instant in UTC out."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> int | None:
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: Any) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

meetings = Table(
    "meetings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", Text, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("external_source", Text),  # `organisation/source`, where it is an organisation's: each has its own
    Column("external_value", Text),
    Column("title", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("start", Instant),
    Column("end", Instant),
    Column("opens_at", Instant),
    Column("closes_at", Instant),
    Column("time_zone", Text, nullable=False),
    Column("open_before_minutes", Integer, nullable=False),
    Column("close_after_minutes", Integer, nullable=False),
    Column("organizer", JSON(none_as_null=True)),
    Column("layout", Text, nullable=False),
    Column("personal", Boolean, nullable=False, server_default=false()),
    Column("presentation", Text, nullable=False, server_default="everyone"),
    Column("pin_salt", LargeBinary, nullable=False),
    Column("host_pin", LargeBinary),
    Column("guest_pin", LargeBinary),
    Column("wait_for_host", Boolean, nullable=False),
    Column("lobby", Text, nullable=False),
    Column("max_participants", Integer, nullable=False),
    Column("locked", Boolean, nullable=False),
    Column("metadata", JSON, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("organisation", Text, nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False, index=True),
    Column("cancelled_at", Instant),
    UniqueConstraint("external_source", "external_value"),
    Index(None, "start"),
)

participants = Table(
    "participants",
    metadata,
    Column("id", Text, primary_key=True),
    Column("meeting", ForeignKey("meetings.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("external_id", Text),
    Column("email", Text),
    Column("phone", Text),
    Column("dial_when", Text),
    Column("dial_uri", Text),
    Column("pin", LargeBinary),
)

rooms = Table(
    "rooms",
    metadata,
    Column("id", Text, primary_key=True),
    Column("meeting", ForeignKey("meetings.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("started_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("locked", Boolean, nullable=False),
    Column("layout", Text, nullable=False),
)

_running = text("ended_at IS NULL")
Index("uq_rooms_running", rooms.c.meeting, unique=True, sqlite_where=_running, postgresql_where=_running)

notices = Table(
    "notices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("room", ForeignKey("rooms.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", Instant, nullable=False),
    Column("record", Text, nullable=False),
)

replies = Table(
    "replies",
    metadata,
    Column("key", Text, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False, index=True),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("number", Text),
    Column("display_name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("organisation", Text, nullable=False, server_default=""),
    UniqueConstraint("organisation", "name"),
    UniqueConstraint("organisation", "number"),
)

bindings = Table(
    "bindings",
    metadata,
    Column("endpoint", ForeignKey("endpoints.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("contact", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("port", Integer, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("path", JSON, nullable=False),
    Column("granted_s", Integer, nullable=False),
    Column("kept_until", Instant, nullable=False),
)
