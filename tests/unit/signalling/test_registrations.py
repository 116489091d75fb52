"""Whose call it is, where an endpoint is reached, and what of it is written to disk."""

import gc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from sip_messages import request as message

from mcu.auth.keys import load_or_create
from mcu.auth.sealing import Seal
from mcu.booking.endpoints import Directory, Endpoint
from mcu.errors import TooMany
from mcu.ids import EndpointId
from mcu.net.sip.flows import Peer
from mcu.protocol.sip.agent import Agent
from mcu.protocol.sip.authenticator import Challenged, WrongPassword
from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.events import Asked
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.uri import SipUri, parse_uri
from mcu.protocol.sip.values import parse_address, parse_credentials
from mcu.signalling.sip.registrations import KEPT_LONGER, NotReached, Registrations
from mcu.signalling.sip.routing import DialPlan
from mcu.storage.database import Database
from mcu.storage.migrate import migrate

PASSWORD = "correct-horse"
ANNA: dict[str, Any] = {"From": "<sip:anna@mcu.example>;tag=x", "To": "<sip:anna@mcu.example>"}


class Way:
    """A flow without a socket."""

    host, port, alias = "mcu.example", 5060, False

    def __init__(self, transport: str = "UDP") -> None:
        self.transport, self.peer = transport, Peer("192.0.2.7", 5060)


class House:
    """The registrations, at a time of the test's own, and what they answered."""

    def __init__(self, database: Database, seal: Seal, *endpoints: Endpoint) -> None:
        self.at = datetime(2026, 12, 1, tzinfo=UTC)
        self.said: list[Response] = []
        self.known = Registrations(
            "mcu.example",
            plan=DialPlan(["mcu.example"], [], own=lambda _: None, called=lambda *_: False),
            directory=Directory(endpoints),
            store=database,
            seal=seal,
            clock=self,
        )
        self._cseq = 0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    def respond(self, key: Key, response: Response) -> None:
        self.said.append(response)

    def proved(self, method: str, flow: Any, password: str = PASSWORD, **fields: str) -> Request:
        """As anna sends it when she has been asked who she is."""
        self._cseq += 1
        asked = message(method, cseq=self._cseq, **ANNA, **fields)
        with pytest.raises(Challenged) as raised:
            self.known.caller(asked, flow)
        answerer = Answerer("anna", password)
        answerer.challenged([parse_credentials(value) for _, value in raised.value.headers])
        return asked.with_(asked.headers.with_("Authorization", answerer.answer(method, asked.target) or ""))

    async def register(self, flow: Any, **fields: str) -> Response:
        self.known.asked(Asked(self.proved("REGISTER", flow, **fields), flow, ()), flow, self)
        await self.known.stop()
        return self.said[-1]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    url = f"sqlite+aiosqlite:///{tmp_path}/mcu.db"
    await migrate(url)
    database, seal = Database(url), Seal(load_or_create(tmp_path / "key.pem"))
    name = EndpointId("ep_1")
    secret = House(database, seal).known.secret(name, "anna", "", PASSWORD, ["SHA-256", "MD5"])
    anna = Endpoint(
        id=name,
        name="anna",
        number="701",
        display_name="Anna",
        language="sv",
        secret=secret,
        created_at=datetime(2026, 12, 1, tzinfo=UTC),
    )
    async with database.writing() as tx:
        await tx.endpoints.add(anna)
    yield House(database, seal, anna)
    await database.close()


async def kept(house: House) -> list[datetime]:
    async with house.known._store.reading() as tx:
        return [one.kept_until for one in await tx.endpoints.bindings()]


async def test_a_refresh_is_written_when_what_is_on_disk_would_not_outlast_it(house: House) -> None:
    begun, flow = house.at, Way()
    for minute in range(KEPT_LONGER):
        house.at = begun + timedelta(seconds=60 * minute)
        assert (await house.register(flow, Expires="60")).status == 200
        assert await kept(house) == [begun + timedelta(seconds=60 * KEPT_LONGER)]
    house.at += timedelta(seconds=50)
    await house.register(flow, Expires="60")
    assert await kept(house) == [house.at + timedelta(seconds=60 * KEPT_LONGER)]
    await house.register(flow, Expires="0")
    assert await kept(house) == []


async def test_who_cannot_be_written_down_is_told_so_whatever_the_reason(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def writing() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(house.known._store, "writing", writing)
    assert (await house.register(Way(), Expires="60")).status == 500


async def test_a_public_gruu_leads_to_its_device(house: House) -> None:
    flow, other = Way(), Way()
    for way, device in ((flow, "one"), (other, "two")):
        contact = f'<sip:anna@192.0.2.7>;+sip.instance="<urn:uuid:{device}>"'
        said = await house.register(way, Contact=contact, Supported="gruu", Call_ID=device, Expires="60")
    theirs = [parse_address(one) for one in said.headers.listed("Contact")]
    gruu = parse_uri(next(one.params["pub-gruu"] or "" for one in theirs if "two" in str(one)).strip('"'))
    assert isinstance(gruu, SipUri)
    assert [one.flow for one in house.known.locate(gruu)] == [other]
    bye = Request("BYE", str(gruu), headers=Headers([]))
    assert house.known.aimed(bye, cast(Any, other)).target == "sip:anna@192.0.2.7"
    assert house.known.aimed(bye, cast(Any, flow)) is bye


async def test_an_endpoint_is_reached_by_its_flow_until_it_expires(house: House) -> None:
    with pytest.raises(NotReached):
        house.known.locate("701")
    flow = Way()
    await house.register(flow, Expires="60")
    for dialled in ("701", "+701", "anna"):
        assert [one.flow for one in house.known.locate(dialled)] == [flow]
    house.at += timedelta(seconds=60)
    with pytest.raises(NotReached):
        house.known.locate("701")


async def test_a_connection_by_which_it_registered_is_believed_only_if_it_is_tls_and_direct(house: House) -> None:
    invite = message("INVITE", **ANNA)
    by_proxy = message("INVITE", **ANNA, Via="SIP/2.0/TLS p;branch=z9hG4bKp, SIP/2.0/TLS q;branch=z9hG4bKq")
    secure, clear = Way("TLS"), Way("TCP")
    for flow in (secure, clear):
        await house.register(flow)
    caller = house.known.caller(invite, secure)  # type: ignore[arg-type] # no socket
    assert caller is not None
    assert caller.name == "anna"
    for asked, flow in ((invite, clear), (by_proxy, secure), (invite, Way("TLS"))):
        with pytest.raises(Challenged):
            house.known.caller(asked, flow)  # type: ignore[arg-type]
    house.known.closed(secure)  # type: ignore[arg-type]
    with pytest.raises(Challenged):
        house.known.caller(invite, secure)  # type: ignore[arg-type]


async def test_who_claims_to_be_nobody_of_ours_is_a_stranger(house: House) -> None:
    assert house.known.caller(message("INVITE"), Way()) is None  # type: ignore[arg-type]
    nobody = message("INVITE", From="<sip:nobody@mcu.example>;tag=x")
    assert house.known.caller(nobody, Way()) is None  # type: ignore[arg-type]


async def test_passwords_that_are_guessed_are_looked_at_ever_more_seldom(house: House) -> None:
    flow: Any = Way()
    for _ in range(10):
        with pytest.raises(WrongPassword):
            house.known.caller(house.proved("INVITE", flow, "wrong-password"), flow)
    right = house.proved("INVITE", flow)
    with pytest.raises(TooMany):
        house.known.caller(right, flow)
    house.at += timedelta(seconds=31)
    assert house.known.caller(house.proved("INVITE", flow), flow) is not None


async def test_of_a_day_of_refreshes_by_ever_new_ways_nothing_is_left(house: House) -> None:
    """Two hours of it go by before we count, so that what is made once is there."""
    agent, begun, counted = Agent(), house.at, list[int]()
    for hour in range(24):
        flow: Any = Way("TCP")
        for minute in range(0, 60, 10):
            house.at = begun + timedelta(hours=hour, minutes=minute)
            agent.handle_timer(house.monotonic())
            agent.receive(house.proved("REGISTER", flow, Expires="900"), flow, house.monotonic())
            [asked] = [event for event in agent.take() if isinstance(event, Asked)]
            house.known.asked(asked, flow, agent)
            await house.known.stop()
        house.known.closed(flow)
        await house.known.stop()
        agent.handle_timer(house.monotonic() + 60)
        assert not [event for event in agent.take() if isinstance(event, Asked)]
        if hour in (1, 23):
            gc.collect()
            counted.append(len(gc.get_objects()))
    assert agent.transactions == 0
    assert len(await kept(house)) == 0
    assert counted[1] - counted[0] < 100
