"""A seat in a meeting that is handed over: who may, and what is left of the calls where it fails."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from sip_messages import request as message

from mcu.booking.endpoints import Endpoint
from mcu.conference.updates import RosterNow
from mcu.errors import Conflict, Invalid, McuError, Refused, Unavailable
from mcu.ids import CallId
from mcu.media.messages import Answered, Command
from mcu.protocol.sip.call_state import State
from mcu.protocol.sip.events import Changed, Within
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import Response
from mcu.signalling.sip.handover import HandedOver
from mcu.signalling.sip.happenings import Unsighted
from mcu.signalling.sip.incoming import Who
from mcu.signalling.sip.routing import Kind, Route
from mcu.signalling.sip.transfer import Transfers
from mcu.signalling.sip.visit import QUEUE_MAX

SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
ANNA: Any = object()


class Front:
    """All that transfers ask: one meeting's call and one bridged call of Anna's, or so it is said."""

    def __init__(self, caller: Endpoint | None) -> None:
        self.statuses: list[int] = []
        self.caller_is = caller
        self.agent = SimpleNamespace(call=lambda dialog: None)
        self.bridges: dict[Any, Any] = {}

    def respond(self, key: object, response: Response) -> None:
        self.statuses.append(response.status)

    def pump(self) -> None:
        """Nothing waits."""

    def caller(self, request: object, flow: object) -> Endpoint | None:
        return self.caller_is


@pytest.mark.parametrize(
    ("sender", "owner", "to", "status"),
    [
        (None, None, "sip:a@h?Replaces=c%3Bto-tag%3Da%3Bfrom-tag%3Db", 403),
        (None, ANNA, "sip:a@h?Replaces=c%3Bto-tag%3Da%3Bfrom-tag%3Db", 403),
        (ANNA, None, "sip:a@h?Replaces=c%3Bto-tag%3Da%3Bfrom-tag%3Db", 403),
        (ANNA, ANNA, "sip:482915370@h", 403),
        (ANNA, ANNA, "tel:+46900123456", 403),
        (ANNA, ANNA, "sip:a@h?Replaces=c%3Bto-tag%3Da%3Bfrom-tag%3Db", 404),
    ],
)
def test_a_meetings_call_gives_way_to_a_call_of_its_own_endpoints_and_to_nothing_else(
    sender: Endpoint | None, owner: Endpoint | None, to: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mcu.signalling.sip.transfer.Flow", object)
    here: Any = Front(sender)
    call: Any = SimpleNamespace(flow=None)
    visit: Any = SimpleNamespace(endpoint=owner)
    within = Within(call, message("REFER", Refer_To=f"<{to}>"), ("key", "key", "key"))
    Transfers(here, here, here, here).seat_referred(visit, within)
    assert here.statuses == [status]


async def test_a_call_whose_words_cannot_be_read_is_left_as_it_was_by_who_would_take_its_place() -> None:
    replaced: Any = SimpleNamespace(dialog=None)
    other: Any = SimpleNamespace(
        side=lambda _: ANNA, across=lambda call: call, said=lambda _: b"v=0\r\ns=M\xf6te", leaving=None
    )
    here: Any = Front(ANNA)
    here.agent.call = lambda dialog: replaced
    here.bridges = SimpleNamespace(get=lambda _: other)
    call: Any = SimpleNamespace(invite=message("INVITE", Replaces="c;to-tag=a;from-tag=b"))
    with pytest.raises(Invalid):
        await Transfers(here, here, here, here).replaced(call, ANNA)
    assert other.leaving is None


async def test_who_means_a_call_that_only_rings_takes_no_other_ones_place() -> None:
    """RFC 3891, section 3."""
    other: Any = SimpleNamespace(side=lambda _: ANNA, leaving=None)
    here: Any = Front(ANNA)
    here.agent.call = lambda dialog: SimpleNamespace(answered=True)
    here.bridges = SimpleNamespace(get=lambda _: other)
    named = "c;to-tag=a;from-tag=b;early-only"
    call: Any = SimpleNamespace(invite=message("INVITE", Replaces=named), refuse=here.statuses.append)
    await Transfers(here, here, here, here).replaced(call, ANNA)
    assert (here.statuses, other.leaving) == ([486], None)


class Told:
    """A `handover.Handover`."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def taken(self) -> None:
        self.told.append("taken")

    def kept(self, error: McuError) -> None:
        self.told.append(error.code)

    def entered(self) -> None:
        self.told.append("entered")

    def over(self) -> None:
        self.told.append("over")


@pytest.mark.parametrize("error", [Unavailable(), Refused(), Conflict()])
async def test_a_call_that_cannot_be_taken_over_is_given_back_and_not_hung_up(error: McuError) -> None:
    async def pick(_within: float) -> None:
        raise error

    house: Any = SimpleNamespace(
        language="sv", floors=SimpleNamespace(ids=lambda: None), floor_unused_s=30.0, workers=SimpleNamespace(pick=pick)
    )
    call: Any = SimpleNamespace(changes=SimpleNamespace(sdp=SDP))  # who hung up this one would fail
    who = Who(address="192.0.2.1", caller="", endpoint=None, number="", by_trunk=False)
    handover = Told()
    visit = HandedOver(
        house, CallId("call_1"), call, Route(Kind.MEETING, (), "482915370", language="sv"), who, handover
    )
    await visit.run()
    assert visit.call is None
    assert handover.told == [error.code, "over"]


class Worker:
    """One that offers, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def ask(self, command: Command) -> Answered:
        self.asked.append(type(command).__name__)
        return Answered(answer=SDP.decode())


async def test_of_a_call_that_does_not_go_to_another_worker_nothing_is_left_at_either() -> None:
    former, new = Worker(), Worker()
    call: Any = SimpleNamespace()
    refusal = Changed(call, Response(488, headers=Headers()))
    soon = asyncio.get_running_loop().call_soon
    call.changes = SimpleNamespace(sdp=SDP, refuse=lambda _: None, offer=lambda _: soon(visit.tell, refusal))
    handover = Told()
    visit: HandedOver = handed_over(call, new, handover)
    visit.worker = former  # type: ignore[assignment] # it only asks
    await visit.run()
    assert (new.asked, former.asked) == (["OfferCall", "EndCall"], ["EndCall"])
    assert handover.told == ["not-taken", "over"]


async def test_however_often_the_roster_changes_while_a_call_waits_it_is_not_hung_up() -> None:
    call: Any = SimpleNamespace(
        hang_up=lambda: hung_up.append(call), changes=SimpleNamespace(sdp=SDP), state=State.UP, flow=None
    )
    hung_up: list[Any] = []
    visit = handed_over(call, Worker(), Told())
    for _ in range(2 * QUEUE_MAX):
        visit.tell(RosterNow(lines=[]))
    assert not hung_up
    for _ in range(2 * QUEUE_MAX):
        visit.tell(Unsighted())
    assert hung_up


def handed_over(call: Any, worker: Worker, handover: Told) -> HandedOver:
    async def pick(_within: float) -> Worker:
        return worker

    house: Any = SimpleNamespace(
        language="sv",
        floors=SimpleNamespace(ids=lambda: None, port=0, tls_port=0, fingerprint=""),
        floor_unused_s=30.0,
        workers=SimpleNamespace(pick=pick),
        encrypted=False,
        line=SimpleNamespace(pump=lambda: None),
    )
    who = Who(address="192.0.2.1", caller="", endpoint=None, number="", by_trunk=False)
    route = Route(Kind.MEETING, (), "482915370", language="sv")
    return HandedOver(house, CallId("call_1"), call, route, who, handover)
