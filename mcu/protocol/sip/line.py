"""What a call needs of its agent."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from mcu.protocol.sip.events import Event
from mcu.protocol.sip.flow import Flow
from mcu.protocol.sip.message import Request, Response
from mcu.protocol.sip.transactions import Key

if TYPE_CHECKING:
    from mcu.protocol.sip.call import Call


class Line(Protocol):
    """One agent, as its calls know it."""

    def ask(self, request: Request, flow: Flow, then: "Callable[[Response | int], None]") -> Key:
        """Sends a request. `then` is called with each response, or with the status that its absence means."""
        ...

    def as_sent(self, key: Key) -> tuple[Request, Flow] | None:
        """A request of ours and its way, as they went (section 18.1.1); None: its transaction is over."""
        ...

    def respond(self, key: Key, response: Response) -> None: ...

    def acknowledge(self, ack: Request, flow: Flow) -> None: ...

    def tell(self, event: Event) -> None: ...

    def due(self, call: "Call", at: float | None) -> None:
        """When `handle_timer` of the call is to be called; None: not at all."""
        ...

    def over(self, call: "Call") -> None: ...

    @property
    def now(self) -> float: ...
