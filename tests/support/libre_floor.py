"""A floor's client that is not ours: Debian's libre (baresip's library), by BFCP over UDP, in a process of its own.

with floor_client(host, port, conference=…, user=…) as client:
    client.do("hello", "query", "request")
    client.heard   # [("HelloAck", …), ("FloorRequestStatus", "Granted"), …]
"""

import ctypes
import subprocess
import sys
import threading
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
QUESTIONS = {"request": 1, "release": 2, "user": 5, "query": 7, "hello": 11, "goodbye": 16}
STATUS, FLOOR_STATUS, STATUS_ACK, FLOOR_STATUS_ACK = 4, 8, 14, 15
FLOOR_ID, REQUEST_ID, REQUEST_STATUS, ERROR_CODE, INFORMATION, OVERALL = 2, 3, 5, 6, 15, 18
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


class _Client:
    """What the process does: questions by standard input, news by standard output."""

    def __init__(self, host: str, port: int, conference: int, user: int) -> None:
        self._re = re = ctypes.CDLL("libre.so.0")
        for function in ("bfcp_msg_attr", "bfcp_attr_subattr"):
            getattr(re, function).restype = POINTER(_Attribute)
        re.bfcp_prim_name.restype = ctypes.c_char_p
        self._conference, self._user, self._request = conference, user, 0
        self._kept = (_Received(self._received), _Answered(self._answered), _Readable(self._readable))
        own, self._there, self._connection = _Address(), _Address(), c_void_p()
        re.libre_init()
        re.sa_set_str(byref(own), host.encode(), c_uint16(0))
        re.sa_set_str(byref(self._there), host.encode(), c_uint16(port))
        failed = re.bfcp_listen(byref(self._connection), UDP, byref(own), None, self._kept[0], None)
        assert not failed, failed
        re.fd_listen(0, FD_READ, self._kept[2], None)
        re.re_main(None)

    def _readable(self, _flags: int, _argument: object) -> None:
        """A line, which libre waits for without Python's buffer."""
        octet, word = (c_char * 1)(), b""
        libc = ctypes.CDLL(None)
        while libc.read(0, octet, 1) == 1 and octet[0] != b"\n":
            word += octet[0]
        if not word:
            self._re.re_cancel()
        else:
            self._ask(word.decode())

    def _ask(self, word: str) -> None:
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


class FloorClient:
    """`heard`: each message's name, and the state or the error in it (`-`: none)."""

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
def floor_client(host: str, port: int, *, conference: int, user: int) -> Iterator[FloorClient]:
    command = [sys.executable, __file__, host, str(port), str(conference), str(user)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        client = FloorClient(process)
        try:
            yield client
        finally:
            client.close()


if __name__ == "__main__":
    _Client(sys.argv[1], *map(int, sys.argv[2:]))
