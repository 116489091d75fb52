"""Any text as an SDP offer is taken apart or refused as `Invalid`: `scripts/fuzz 60 sdp`."""

import sys

import atheris

with atheris.instrument_imports(include=["aiortc.sdp", "mcu.media.transport.answer", "mcu.media.transport.simulcast"]):
    from mcu.errors import Invalid
    from mcu.media.transport.answer import agree
    from mcu.media.transport.simulcast import sections, written


def try_one(data: bytes) -> None:
    try:
        session, agreed = agree(data.decode("utf-8", "surrogateescape"))
    except Invalid:
        return
    assert agreed.audio.index < len(session.media)
    layers = {line.index: line.layers for line in agreed.video}
    assert all(len(taken) in (0, 2, 3) for taken in layers.values())
    answer = "v=0\r\n" + "m=\r\n" * len(session.media)
    assert len(sections(written(answer, layers))) == len(session.media)


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
