"""People at a meeting for whom no browser is needed, beside a test that is not asynchronous: some cost less than one.

with company(server) as others: others.come(meeting.number, "Bo"); others.share("Bo")
"""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

from hall import inside
from pictures import RED, frame_of
from running_server import RunningServer

from mcu.demo.client import MeetingClient
from mcu.demo.guest import Guest
from mcu.demo.sources import LivePicture
from mcu.signalling.webrtc.messages import Screen

PATIENCE_S = 60.0


class Company:
    """On a thread of its own."""

    def __init__(self, server: RunningServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server, self._loop = server, loop
        self._people: dict[str, Guest] = {}

    def come(self, number: str, name: str) -> None:
        """Without a PIN, into the room or its lobby. Has a screen that can be shared."""
        self._wait(self._come(number, name))

    def share(self, name: str) -> None:
        """The screen, as soon as somebody has let them in."""
        self._wait(self._share(self._people[name]))

    def leave(self) -> None:
        self._wait(self._leave())

    def _wait(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _come(self, number: str, name: str) -> None:
        person = self._people[name] = Guest(self._server.base_url)
        screen = LivePicture(iter(lambda: frame_of(RED, 640, 480), None), 5)
        await person.join(number, name, MeetingClient(screen=screen, content=True))

    async def _share(self, person: Guest) -> None:
        await inside(person)
        await person.send(Screen(on=True))

    async def _leave(self) -> None:
        for person in self._people.values():
            await person.close()


@contextmanager
def company(server: RunningServer) -> Iterator[Company]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    others = Company(server, loop)
    try:
        yield others
    finally:
        others.leave()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
