"""A telephone that changes its call as fast as it can: re-INVITEs without a pause, several on their way at a time.

with storm(("127.0.0.1", 5060), "482915370") as phone: phone.rage(5)

It runs in a process of its own, and has neither encryption nor anything to say.
"""

import multiprocessing
import os
import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from multiprocessing.managers import BaseManager

WAY, WAIT_S = 4, 5.0  # changes on their way
OFFERS = (("sendonly", "0 101"), ("sendrecv", "0 101"), ("inactive", "8"), ("sendrecv", "8 101"), ("sendrecv", "9 0"))
SDP = (
    "v=0\r\no=- 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP {types}\r\na=rtpmap:101 telephone-event/8000\r\na={direction}\r\n"
)


class Storm:
    def __init__(self, server: tuple[str, int], user: str) -> None:
        os.nice(19)  # it is on another machine
        self._server, self._user = server, user
        self._socket, self._sound = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for one in (self._socket, self._sound):
            one.bind(("127.0.0.1", 0))
            one.settimeout(WAIT_S)
        self._port, self._cseq, self._tag = self._socket.getsockname()[1], 0, ""

    def change(self, direction: str) -> tuple[int, bool]:
        """The call, where it is none yet, or a change of it: its answer, and whether that says when to try again."""
        cseq = self._offer(direction, "0 101")
        while (found := self._answer())[0] != cseq:
            pass
        return found[1:]

    def rage(self, seconds: float) -> Counter[tuple[int, bool]]:
        """How many of each answer came."""
        until, offers, answers, waiting = time.monotonic() + seconds, cycle(OFFERS), Counter[tuple[int, bool]](), 0
        while time.monotonic() < until or waiting:
            while waiting < WAY and time.monotonic() < until:
                self._offer(*next(offers))
                waiting += 1
            answers[self._answer()[1:]] += 1
            waiting -= 1
        return answers

    def is_sent_sound(self) -> bool:
        """Now: what came before is let go."""
        self._sound.settimeout(0)
        try:
            while self._sound.recv(2048):
                pass
        except BlockingIOError:
            self._sound.settimeout(WAIT_S)
        return bool(self._sound.recv(2048))

    def hang_up(self) -> int:
        self._cseq += 1
        self._send("BYE", self._cseq)
        while (found := self._answer())[0] != self._cseq:
            pass
        return found[1]

    def _offer(self, direction: str, types: str) -> int:
        self._cseq += 1
        port = self._sound.getsockname()[1]
        self._send("INVITE", self._cseq, SDP.format(version=self._cseq, port=port, types=types, direction=direction))
        return self._cseq

    def _send(self, method: str, cseq: int, body: str = "", branch: str = "") -> None:
        lines = [
            f"{method} sip:{self._user}@127.0.0.1 SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self._port};branch=z9hG4bK{branch or f'{method}{cseq}'};rport",
            "Max-Forwards: 70",
            "From: <sip:storm@127.0.0.1>;tag=storm",
            f"To: <sip:{self._user}@127.0.0.1>{self._tag and f';tag={self._tag}'}",
            f"Call-ID: storm-{self._port}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:storm@127.0.0.1:{self._port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self._socket.sendto("\r\n".join([*lines, "", body]).encode(), self._server)

    def _answer(self) -> tuple[int, int, bool]:
        """The next that is final: whose it is, its status, and whether it has Retry-After. An INVITE's gets its ACK."""
        while not re.match(r"SIP/2\.0 [2-6]", text := self._socket.recv(65_536).decode()):
            pass
        status = int(text[8:11])
        cseq, method = re.findall(r"^CSeq: (\d+) (\w+)", text, re.MULTILINE)[0]
        if not self._tag:
            [self._tag] = re.findall(r"^To:.*;tag=([^\s;]+)", text, re.MULTILINE)
        if method == "INVITE":  # of a 2xx it is a transaction of its own
            self._send("ACK", int(cseq), branch=f"{'ACK' if status < 300 else 'INVITE'}{cseq}")
        return int(cseq), status, "\nRetry-After: " in text

    def close(self) -> None:
        self._socket.close()
        self._sound.close()


class _Processes(BaseManager):
    pass


_Processes.register("Storm", Storm)


@contextmanager
def storm(server: tuple[str, int], user: str) -> Iterator[Storm]:
    with _Processes(ctx=multiprocessing.get_context("spawn")) as process:
        phone: Storm = process.Storm(server, user)  # type: ignore[attr-defined] # registered
        try:
            yield phone
        finally:
            phone.close()
