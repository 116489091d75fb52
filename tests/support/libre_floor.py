"""A floor's client and its server that are not ours: Debian's libre (baresip's library), by BFCP over UDP, in a process
of its own.

with floor_client(host, port, conference=…, user=…) as client:
    client.do("hello", "query", "request")
    client.heard   # [("HelloAck", …), ("FloorRequestStatus", "Granted"), …]

with floor_host(host, conference=…, user=…) as floor:  # at `floor.port`
    floor.do("grant", "revoke", "take", "free")  # `take`: its own user has the floor
    floor.heard   # [("FloorQuery", "-"), ("FloorRequest", "-"), …]
"""

import ctypes
import subprocess
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import (
    CFUNCTYPE,
    POINTER,
    byref,
    c_bool,
    c_char,
    c_int,
    c_size_t,
    c_uint,
    c_uint8,
    c_uint16,
    c_uint32,
    c_void_p,
)

VERSION_2, UDP, FD_READ = 2, 0, 1
HOSTS_FLOOR, HOSTS_USER, ITS_REQUEST, ASKED = 5, 1, 90, 33
QUESTIONS = {"request": 1, "release": 2, "user": 5, "query": 7, "hello": 11, "goodbye": 16}
STATUS, FLOOR_STATUS, STATUS_ACK, FLOOR_STATUS_ACK = 4, 8, 14, 15
FLOOR_ID, REQUEST_ID, REQUEST_STATUS, ERROR_CODE, BENEFICIARY, INFORMATION, OVERALL = 2, 3, 5, 6, 14, 15, 18
PENDING, GRANTED, DENIED, RELEASED, REVOKED = 1, 3, 4, 6, 7
REQUEST, RELEASE, FLOOR_QUERY, UNKNOWN = 1, 2, 7, 3
STATES = {1: "Pending", 2: "Accepted", 3: "Granted", 4: "Denied", 5: "Cancelled", 6: "Released", 7: "Revoked"}


class _Address(ctypes.Structure):
    _fields_ = (("octets", c_uint8 * 28), ("length", c_uint32))


class _Attribute(ctypes.Structure):  # re_bfcp.h's, as far as what is read here
    _fields_ = (
        ("element", c_void_p * 4),
        ("inside", c_void_p * 2),
        ("type", c_int),
        ("mandatory", c_bool),
        ("padding", c_uint8 * 3),  # to the union, which has pointers
        ("value", c_uint16),
    )


class _Status(ctypes.Structure):
    _fields_ = (("state", c_int), ("place", c_uint8))


class _Message(ctypes.Structure):
    _fields_ = (
        ("unknown", c_uint8 * 16),
        ("unknown_count", c_size_t),
        ("source", _Address),
        ("version", c_uint8),
        ("flags", c_uint8),
        ("primitive", c_int),
    )


_Received = CFUNCTYPE(None, POINTER(_Message), c_void_p)
_Answered = CFUNCTYPE(None, c_int, POINTER(_Message), c_void_p)
_Readable = CFUNCTYPE(None, c_int, c_void_p)


class _Process(ABC):
    """Words by standard input, news by standard output."""

    def __init__(self, host: str, conference: int, user: int) -> None:
        self._re = re = ctypes.CDLL("libre.so.0")
        for function in ("bfcp_msg_attr", "bfcp_attr_subattr"):
            getattr(re, function).restype = POINTER(_Attribute)
        re.bfcp_prim_name.restype = ctypes.c_char_p
        re.sa_port.restype = c_uint16
        self._conference, self._user, self._request = conference, user, 0
        self._kept = (_Received(self._received), _Answered(self._answered), _Readable(self._readable))
        self._own, self._connection = _Address(), c_void_p()
        re.libre_init()
        re.sa_set_str(byref(self._own), host.encode(), c_uint16(0))
        failed = re.bfcp_listen(byref(self._connection), UDP, byref(self._own), None, self._kept[0], None)
        assert not failed, failed

    def run(self) -> None:
        self._re.fd_listen(0, FD_READ, self._kept[2], None)
        self._re.re_main(None)

    def _readable(self, _flags: int, _argument: object) -> None:
        """A line, which libre waits for without Python's buffer."""
        octet, word = (c_char * 1)(), b""
        libc = ctypes.CDLL(None)
        while libc.read(0, octet, 1) == 1 and octet[0] != b"\n":
            word += octet[0]
        if not word:
            self._re.re_cancel()
        else:
            self._do(word.decode())

    @abstractmethod
    def _do(self, word: str) -> None: ...

    @abstractmethod
    def _received(self, message: "ctypes._Pointer[_Message]", _argument: object) -> None: ...

    def _answered(self, error: int, message: "ctypes._Pointer[_Message]", _argument: object) -> None:
        if error:
            print("Failed", error, flush=True)
        else:
            self._tell(message)

    def _tell(self, message: "ctypes._Pointer[_Message]") -> None:
        name = self._re.bfcp_prim_name(message.contents.primitive).decode()
        information = self._re.bfcp_msg_attr(message, INFORMATION)
        said = "-"
        if information:
            overall = self._re.bfcp_attr_subattr(information, OVERALL)
            said = STATES[self._re.bfcp_attr_subattr(overall, REQUEST_STATUS).contents.value]
            if message.contents.primitive == STATUS:
                self._request = information.contents.value
        elif error := self._re.bfcp_msg_attr(message, ERROR_CODE):
            said = str(error.contents.value)
        print(name, said, flush=True)


class _Client(_Process):
    def __init__(self, host: str, conference: int, user: int, port: int) -> None:
        super().__init__(host, conference, user)
        self._there = _Address()
        self._re.sa_set_str(byref(self._there), host.encode(), c_uint16(port))

    def _do(self, word: str) -> None:
        floor, number = c_uint16(1), c_uint16(self._request)
        about = {"request": (FLOOR_ID, floor), "query": (FLOOR_ID, floor), "release": (REQUEST_ID, number)}.get(word)
        attributes = () if about is None else (c_int(about[0]), c_uint(0), byref(about[1]))
        failed = self._re.bfcp_request(
            *(self._connection, byref(self._there), c_uint8(VERSION_2), c_int(QUESTIONS[word])),
            *(c_uint32(self._conference), c_uint16(self._user), self._kept[1], None),
            *(c_uint(1 if attributes else 0), *attributes),
        )
        assert not failed, failed

    def _received(self, message: "ctypes._Pointer[_Message]", _argument: object) -> None:
        self._tell(message)
        ack = {STATUS: STATUS_ACK, FLOOR_STATUS: FLOOR_STATUS_ACK}[message.contents.primitive]
        self._re.bfcp_reply(self._connection, message, c_int(ack), c_uint(0))


class _Host(_Process):
    """One floor, number 5, that it grants when it is told to."""

    def __init__(self, host: str, conference: int, user: int) -> None:
        super().__init__(host, conference, user)
        self._there: _Address | None = None  # the client, once it has asked
        self._taken = False  # by its own user
        print("Port", self._re.sa_port(byref(self._own)), flush=True)

    def _do(self, word: str) -> None:
        if word in ("take", "free"):
            self._taken = word == "take"
            self._notify(FLOOR_STATUS, *self._floor())
        else:
            state = {"grant": GRANTED, "deny": DENIED, "revoke": REVOKED}[word]
            self._notify(STATUS, *_information(ASKED, self._user, state))

    def _notify(self, primitive: int, *attributes: object) -> None:
        assert self._there is not None
        failed = self._re.bfcp_notify(
            *(self._connection, byref(self._there), c_uint8(VERSION_2), c_int(primitive)),
            *(c_uint32(self._conference), c_uint16(self._user), *attributes),
        )
        assert not failed, failed

    def _floor(self) -> tuple[object, ...]:
        one = (c_int(FLOOR_ID), c_uint(0), byref(c_uint16(HOSTS_FLOOR)))
        if not self._taken:
            return (c_uint(1), *one)
        return (c_uint(2), *one, *_information(ITS_REQUEST, HOSTS_USER, GRANTED)[1:])

    def _received(self, message: "ctypes._Pointer[_Message]", _argument: object) -> None:
        self._tell(message)
        self._there = _Address.from_buffer_copy(message.contents.source)
        match message.contents.primitive:
            case 7:
                answer = (c_int(FLOOR_STATUS), *self._floor())
            case 1:
                answer = (c_int(STATUS), *_information(ASKED, self._user, PENDING))
            case 2:
                answer = (c_int(STATUS), *_information(ASKED, self._user, RELEASED))
            case _:
                self._re.bfcp_ereply(self._connection, message, c_int(UNKNOWN))
                return
        self._re.bfcp_reply(self._connection, message, *answer)


def _information(request: int, user: int, state: int) -> tuple[object, ...]:
    """FLOOR-REQUEST-INFORMATION, as libre takes it: how many attributes, and of each its type, how many are inside it,
    and its value."""
    number, status = byref(c_uint16(request)), byref(_Status(state, 0))
    overall = (c_int(OVERALL), c_uint(1), number, c_int(REQUEST_STATUS), c_uint(0), status)
    whose = (c_int(BENEFICIARY), c_uint(0), byref(c_uint16(user)))
    return (c_uint(1), c_int(INFORMATION), c_uint(2), number, *overall, *whose)


class FloorPeer:
    """`heard`: each message's name, and the state or the error in it (`-`: none). `port`: a host's."""

    port = 0

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.heard: list[tuple[str, str]] = []
        self._process = process
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def do(self, *questions: str) -> None:
        assert self._process.stdin is not None
        for question in questions:
            self._process.stdin.write(f"{question}\n")
        self._process.stdin.flush()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            name, _, said = line.strip().partition(" ")
            self.heard.append((name, said))

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(5) == 0
        self._reader.join()


@contextmanager
def floor_client(host: str, port: int, *, conference: int, user: int) -> Iterator[FloorPeer]:
    with _started(host, str(conference), str(user), str(port)) as peer:
        yield peer


@contextmanager
def floor_host(host: str, *, conference: int, user: int) -> Iterator[FloorPeer]:
    with _started(host, str(conference), str(user)) as peer:
        while not peer.heard:
            time.sleep(0.02)
        peer.port = int(peer.heard.pop()[1])
        yield peer


@contextmanager
def _started(*arguments: str) -> Iterator[FloorPeer]:
    command = [sys.executable, __file__, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        peer = FloorPeer(process)
        try:
            yield peer
        finally:
            peer.close()


def main() -> None:
    host, conference, user, *port = sys.argv[1:]
    numbers = int(conference), int(user)
    (_Client(host, *numbers, int(port[0])) if port else _Host(host, *numbers)).run()


if __name__ == "__main__":
    main()
