"""Any octets as BFCP, by datagrams and over a connection, are answered or dropped: `scripts/fuzz 60 bfcp`."""

import sys

import atheris

with atheris.instrument_imports(include=["mcu.protocol.bfcp"]):
    from mcu.protocol.bfcp.end import Ids
    from mcu.protocol.bfcp.floor import Floor
    from mcu.protocol.bfcp.message import HEADER, Malformed, read_header
    from mcu.protocol.bfcp.participant import Participant
    from mcu.protocol.bfcp.stream import Stream

PIECE = 64  # octets of a datagram


def try_one(data: bytes) -> None:
    floor, client = Floor(Ids(1234, 7), reliable=False), Participant(Ids(1234, 7), 1, reliable=False)
    client.begin(0.0)
    for at in range(0, len(data), PIECE):
        for end in (floor, client):
            end.datagram(data[at : at + PIECE], 0.0)
        floor.grant(0.0)
        client.wants(bool(at & PIECE), 0.0)
    for end in (floor, client):
        while (due := end.next_timer()) is not None and due < 100:
            end.handle_timer(due)
    over = Floor(Ids(1234, 7), reliable=True)
    try:
        for message in Stream().feed(data):
            over.message(message, 0.0)
            over.others(bool(message.transaction & 1), 0.0)
    except Malformed as error:
        over.unreadable(error, 0.0)
    for said in (*floor.take(), *client.take(), *over.take()):
        if isinstance(said, bytes):
            assert len(said) == HEADER.size + read_header(said).length


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
