"""What a call keeps of responses that are not settled: sent again until they are heard of, and of forks that ring."""

from dataclasses import dataclass

from mcu.protocol.sip.dialog import Dialog
from mcu.protocol.sip.message import Response
from mcu.protocol.sip.timers import T1
from mcu.protocol.sip.transactions import Key
from mcu.protocol.sip.values import CSeq


@dataclass(slots=True)
class Repeated:
    """A 2xx until its ACK, or a reliable provisional response until its PRACK, at doubling times."""

    key: Key
    response: Response
    cseq: CSeq
    since: float
    wait: float = T1


@dataclass(slots=True)
class Early:
    """One fork's dialog before it is taken, the number of its last reliable response, and what it has answered."""

    dialog: Dialog
    rseq: int | None = None
    answer: bytes = b""
