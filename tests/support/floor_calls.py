"""A call with a floor at a `FloorServer`, and nothing else of a call."""

from mcu.net.bfcp.line import FloorLine, News, Peer
from mcu.net.bfcp.server import FloorServer
from mcu.protocol.bfcp.end import Ids
from mcu.protocol.bfcp.floor import Floor
from mcu.protocol.bfcp.participant import Participant
from mcu.protocol.sdp.floor import Taken

HOST = "127.0.0.1"
IDS = (1234, 7)


class FloorCall:
    """`told`: what its other side asked for, or said of a floor of its own."""

    def __init__(self, server: FloorServer, taken: Taken, ids: tuple[int, int] = IDS) -> None:
        self.told: list[News] = []
        self.floor = Floor(Ids(*ids), reliable=taken.reliable)
        end: Floor | Participant = self.floor
        if taken.theirs is not None:
            end = self.participant = Participant(taken.theirs.ids, taken.theirs.floor, reliable=taken.reliable)
        peer = Peer(hosts=frozenset({HOST}), taken=taken)
        self.line: FloorLine = server.open(end, peer, self.told.append)

    def grant(self) -> None:
        self.line.do(self.floor.grant)
