"""What the conference needs of media workers: one to open a room on, an answer to each command, and the news.

It knows nothing of processes or sockets; `mcu.cluster` implements it, on one machine today.
"""

from typing import Protocol

from mcu.errors import McuError
from mcu.media.frames import AnyCommand, AnyEvent, AnyReply
from mcu.media.messages import Answered


class Worker(Protocol):
    """One living (or lately living) media worker process. A worker that was started again is another `Worker`."""

    @property
    def id(self) -> str:
        """For logs and metrics. Never used twice."""

    async def ask(self, command: AnyCommand) -> AnyReply:
        """The reply to a command; `Failed` never comes back, but is raised as the error its code names.

        Commands are carried out in the order in which they were asked, also when several are under way.
        Raises `errors.Unavailable` when the worker is dead, dies meanwhile, or does not answer in time.
        """


class WorkersListener(Protocol):
    """Who hears of the workers. Called on the event loop, in the order in which things happened; must not block."""

    def on_event(self, worker: Worker, event: AnyEvent) -> None:
        """An event, never before the reply to a command that was answered earlier, never after `on_death`."""

    def on_death(self, worker: Worker) -> None:
        """The worker is gone with all its rooms. Told once, within a second of it."""


class Workers(Protocol):
    """All the workers of this node."""

    async def pick(self, wait_s: float = 0.0) -> Worker:
        """The living worker with the least to do, counting rooms that were given to it and not reported yet.

        Waits up to `wait_s` for one to live (the only one may be starting again). Raises `errors.Unavailable`.
        """

    def subscribe(self, listener: WorkersListener) -> None:
        """From now on `listener` is told of every event and death. There is no end to it: it lives as long as we."""


def answered(reply: AnyReply) -> Answered:
    """What a worker has answered an SDP with. Raises `McuError` where it is none."""
    if not isinstance(reply, Answered):
        raise McuError("The media worker gave no SDP.")
    return reply
