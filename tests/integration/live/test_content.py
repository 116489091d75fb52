"""What people share, and pictures of one's own: a real server, its workers, and real WebRTC clients."""

from hall import Hall, hall, inside, line, until
from rtc import bars
from running_server import RunningServer

from mcu.demo.client import MeetingClient
from mcu.demo.guest import Guest
from mcu.demo.sources import LivePicture
from mcu.media.messages import Layout, Personal, Source
from mcu.signalling.webrtc.messages import LayoutMap, OwnView, Refusal, Screen


async def come(here: Hall, name: str, *, content: bool = True, height: int = 0) -> Guest:
    """`height`: of the screen that it can share."""
    person = here.stranger()
    screen = LivePicture(bars(640, height), 5) if height else None
    how = {"token": here.link(name)} if name in ("Berg", "Ek") else {}
    await person.join(here.number, name, MeetingClient(screen=screen, content=content), **how)
    return person


def shown(person: Guest) -> LayoutMap | None:
    maps = [message for message in person.messages if isinstance(message, LayoutMap)]
    return maps[-1] if maps else None


def content_height(person: Guest) -> int:
    """Of the content that it got last."""
    assert person.client is not None
    assert person.client.content is not None
    latest = person.client.content.latest
    return latest.height if latest is not None else 0


def sees(person: Guest, **what: object) -> bool:
    last = shown(person)
    return last is not None and all(getattr(last, name) == value for name, value in what.items())


async def test_who_shares_next_takes_over_and_each_gets_it_as_it_can(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await come(here, "Berg", height=480), await come(here, "Anna", height=400)
        bo = await come(here, "Bo", content=False)
        await inside(berg, anna, bo)
        await berg.send(Screen(on=True))
        await until(lambda: content_height(anna) == 480)
        await until(lambda: sees(anna, content=berg.leg) and sees(bo, layout=Layout.PRESENTATION_WITH_TILES))
        assert sees(bo, content=None)
        last = shown(anna)
        assert last is not None
        assert {tile.source for tile in last.tiles} == {Source.CAMERA}
        media = await here.get(f"{await here.room()}/participants/{anna.leg}/media")
        assert next(one for one in media["sending"] if one["media"] == "content")["packets"] > 0
        await anna.send(Screen(on=True))
        await until(lambda: content_height(berg) == 400)
        await until(lambda: sees(anna, content=None) and sees(berg, content=anna.leg))
        before = line(bo, berg.leg)
        assert before is not None
        assert not before.screen
        await anna.send(Screen(on=False))
        await until(lambda: sees(berg, content=None) and sees(bo, layout=Layout.GRID))


async def test_where_only_hosts_share_a_guest_is_told_so(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        await here.merge(media={"presentation": "hosts"})
        anna = await come(here, "Anna", height=400)
        await inside(anna)
        await anna.send(Screen(on=True))
        assert (await anna.told(Refusal)).code == "hosts-only"


async def test_a_picture_of_ones_own_is_without_oneself_and_has_its_price(live_server: RunningServer) -> None:
    async with hall(live_server) as here:
        berg, anna = await come(here, "Berg"), await come(here, "Anna")
        await inside(berg, anna)
        shared = (await here.get(await here.room()))["cores"]
        await anna.send(OwnView(on=True))
        await until(lambda: sees(anna, personal=Personal.PERSONAL))
        last = shown(anna)
        assert last is not None
        assert [tile.leg for tile in last.tiles] == [berg.leg]
        assert sees(berg, personal=Personal.SHARED)
        people = (await here.get(f"{await here.room()}/participants"))["items"]
        assert {one["id"]: one["view"] for one in people} == {anna.leg: "personal", berg.leg: "shared"}
        assert (await here.get(await here.room()))["cores"] > shared
        booked = await here.merge(media={"personal": True})
        assert booked["media"]["cores"] > here.booked["media"]["cores"]
        await until(lambda: sees(berg, personal=Personal.PERSONAL))
        one = await here.patch(f"{await here.room()}/participants/{berg.leg}", personal=False)
        assert one["personal"] is False
        await until(lambda: sees(berg, personal=Personal.SHARED))
