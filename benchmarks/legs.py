"""WebRTC legs for the load program: connected here (SDP, ICE, DTLS), then carried by `load/`, which is C.

Each is what a browser is to a server: Opus at 48 kHz over DTLS-SRTP, the audio level in the clear header, ICE consent
in both roles, an RTCP report each second. Sound was encoded beforehand. A thousand of them cost less than one browser.
"""

import asyncio
import contextlib
import json
import secrets
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from aioice import stun
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80
from aiortc.sdp import SessionDescription

from mcu.demo.sources import Spoken

HERE: Final = "127.0.0.1"
ROOT: Final = Path(__file__).parents[1]
LEVEL_ID: Final = 1
PAYLOAD_TYPE: Final = 111
CONNECT_S: Final = 10.0
PROBE_S: Final = 0.05
STOP_S: Final = 30.0
_PROFILES: Final = {
    SRTP_AEAD_AES_256_GCM: "AEAD_AES_256_GCM",
    SRTP_AEAD_AES_128_GCM: "AEAD_AES_128_GCM",
    SRTP_AES128_CM_SHA1_80: "AES128_CM_SHA1_80",
}
_RECORD: Final = struct.Struct("=IqHIH")
_SENT: Final = 1 << 31

Join = Callable[[str], Awaitable[str]]  # an SDP offer in, the answer out


def build(directory: Path) -> Path:
    """The load program, compiled."""
    program = directory / "load"
    sources = [*(ROOT / "benchmarks/load").glob("*.c"), *(ROOT / "native/src/wire").glob("*.c")]
    flags = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-I", ROOT / "native/include")
    subprocess.run(["cc", *flags, "-o", program, *sources, "-lcrypto"], check=True)
    return program


def write_sound(path: Path, packets: Iterable[Spoken]) -> Path:
    """Packets as the load program reads them: level, size, Opus."""
    with path.open("wb") as file:
        for packet in packets:
            file.write(struct.pack("<BH", packet.level, len(packet.payload)) + packet.payload)
    return path


@dataclass(frozen=True)
class Carry:
    """What a leg does: its sound, and what of it is lost on its way (by chance, or each nth packet)."""

    sound: Path
    record: bool = False
    loss_per_mille: int = 0
    lose_every: int = 0


# -- one leg --------------------------------------------------------------------------------------------------------


class _Dtls(RTCDtlsTransport):
    """aiortc's handshake over a socket that is ours; keeps the keys instead of using them."""

    keys: tuple[bytes, bytes] = b"", b""  # sending, receiving
    profile = ""

    def _setup_srtp(self) -> None:
        assert self._ssl is not None
        agreed = self._ssl.get_selected_srtp_profile()
        found = next(profile for profile in _PROFILES if profile.openssl_profile == agreed)
        exported = self._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (found.key_length + found.salt_length))
        client, server = (found.get_key_and_salt(exported, side) for side in (0, 1))
        self.keys = (client, server) if self._role == "client" else (server, client)
        self.profile = _PROFILES[found]


class WebRtcLeg:
    """One leg, from its offer until the load program has it."""

    def __init__(self, certificate: RTCCertificate, carry: "Carry", phase: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("", 0))
        self.socket.setblocking(False)
        self.socket.set_inheritable(True)
        self._carry, self._phase = carry, phase
        self._ssrc = secrets.randbits(31)
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._their_ufrag = self._their_password = ""
        self._records: asyncio.Queue[bytes] = asyncio.Queue()
        self._proved = asyncio.Event()
        self._dtls = _Dtls(cast(RTCIceTransport, self), [certificate])
        self._dtls._srtp_profiles = list(_PROFILES)

    async def connect(self, join: Join) -> None:
        """Join, prove the address, and shake hands."""
        answer = SessionDescription.parse(await join(self._offer()))
        media = answer.media[0]
        assert media.ice
        assert media.ice.usernameFragment
        assert media.ice.password
        assert media.dtls
        self._dtls._set_role("server" if media.dtls.role == "client" else "client")
        self._their_ufrag, self._their_password = media.ice.usernameFragment, media.ice.password
        candidate = next(one for one in media.ice_candidates if ":" not in one.ip and one.component == 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.bind((candidate.ip, 0))  # the server is on this machine, or nothing is sent
        self.socket.connect((candidate.ip, candidate.port))
        asyncio.get_running_loop().add_reader(self.socket, self._read)
        async with asyncio.timeout(CONNECT_S):
            while not self._proved.is_set():
                self._check()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._proved.wait(), PROBE_S)
            await self._dtls.start(media.dtls)
        if self._dtls.state != "connected":
            raise RuntimeError(f"DTLS is {self._dtls.state}")

    def hand_over(self) -> str:
        """Nothing is read here any more; the line that the load program wants."""
        asyncio.get_running_loop().remove_reader(self.socket)
        if self._dtls._task is not None:
            self._dtls._task.cancel()
        sending, receiving = self._dtls.keys
        words = {
            "profile": self._dtls.profile,
            "keys": f"{sending.hex()}:{receiving.hex()}",
            "ssrc": self._ssrc,
            "type": PAYLOAD_TYPE,
            "level": LEVEL_ID,
            "sound": self._carry.sound,
            "phase": self._phase,
            "ours": f"{self._ufrag}:{self._password}",
            "theirs": f"{self._their_ufrag}:{self._their_password}",
            "record": int(self._carry.record),
            "loss": self._carry.loss_per_mille,
            "every": self._carry.lose_every,
        }
        return f"{self.socket.fileno()} " + " ".join(f"{name}={value}" for name, value in words.items()) + "\n"

    def _offer(self) -> str:
        (fingerprint, *_) = [one for one in self._dtls.getLocalParameters().fingerprints if one.algorithm == "sha-256"]
        host, port = HERE, self.socket.getsockname()[1]
        lines = (
            "v=0",
            f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            "a=group:BUNDLE 0",
            f"m=audio {port} UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
            f"c=IN IP4 {host}",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=candidate:1 1 udp 2130706431 {host} {port} typ host",
            "a=end-of-candidates",
            f"a=ice-ufrag:{self._ufrag}",
            f"a=ice-pwd:{self._password}",
            f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
            "a=setup:actpass",
            "a=mid:0",
            f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=sendrecv",
            "a=rtcp-mux",
            f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
            f"a=fmtp:{PAYLOAD_TYPE} minptime=10;useinbandfec=1",
            f"a=ssrc:{self._ssrc} cname:load",
        )
        return "\r\n".join(lines) + "\r\n"

    # -- the network ------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        """An ICE check that nominates this very pair (RFC 8445 section 7.2)."""
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        request.attributes |= {
            "USERNAME": f"{self._their_ufrag}:{self._ufrag}",
            "PRIORITY": 0x7E0000FF,
            "ICE-CONTROLLING": 0x1122334455667788,
            "USE-CANDIDATE": None,
        }
        request.add_message_integrity(self._their_password.encode())
        self.socket.send(bytes(request))

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            while True:
                data = self.socket.recv(1500)
                if 20 <= data[0] <= 63:
                    self._records.put_nowait(data)
                elif data[0] < 4:
                    self._stun(data)

    def _stun(self, data: bytes) -> None:
        with contextlib.suppress(ValueError):
            message = stun.parse_message(data)
            if message.message_class is stun.Class.RESPONSE:
                self._proved.set()
            elif message.message_class is stun.Class.REQUEST:
                answer = stun.Message(
                    message_method=stun.Method.BINDING,
                    message_class=stun.Class.RESPONSE,
                    transaction_id=message.transaction_id,
                )
                answer.attributes["XOR-MAPPED-ADDRESS"] = self.socket.getpeername()
                answer.add_message_integrity(self._password.encode())
                self.socket.send(bytes(answer))

    async def _recv(self) -> bytes:  # what aiortc's DTLS wants of an ICE transport
        return await self._records.get()

    async def _send(self, data: bytes) -> None:
        self.socket.send(data)


# -- many legs ------------------------------------------------------------------------------------------------------


@dataclass
class Packet:
    """One packet of a recorded leg. `at`: monotonic seconds."""

    at: float
    sequence: int
    timestamp: int
    payload: bytes


@dataclass
class Recorded:
    """What a recorded leg sent and received, in order of time."""

    sent: list[Packet] = field(default_factory=list)
    received: list[Packet] = field(default_factory=list)


@dataclass
class Load:
    """Legs that are carried: started by `begin`, and gone after their time."""

    process: asyncio.subprocess.Process
    recording: Path
    legs: Sequence[WebRtcLeg]

    async def begin(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"go\n")
        await self.process.stdin.drain()

    async def results(self) -> list[dict[str, Any]]:
        """What each leg counted, when the time is over: sent, received, lost, longest_gap_ms …"""
        assert self.process.stdout
        lines = (await self.process.stdout.read()).decode().splitlines()
        if await self.process.wait():
            raise RuntimeError("the load program failed")
        return [json.loads(line) for line in lines]

    def recorded(self) -> dict[int, Recorded]:
        """By number of the leg."""
        found: dict[int, Recorded] = {}
        data = self.recording.read_bytes()
        at = 0
        while at < len(data):
            leg, when, sequence, timestamp, size = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            packet = Packet(when / 1e6, sequence, timestamp, data[at : at + size])
            at += size
            of = found.setdefault(leg & ~_SENT, Recorded())
            (of.sent if leg & _SENT else of.received).append(packet)
        return found


@contextlib.asynccontextmanager
async def carried(join: Join, wanted: Sequence[Carry], directory: Path, seconds: float) -> AsyncIterator[Load]:
    """Legs, connected, in the load program, which waits for `begin`."""
    program = build(directory)
    certificate = RTCCertificate.generateCertificate()
    legs = [WebRtcLeg(certificate, carry, 7 * number) for number, carry in enumerate(wanted)]
    for leg in legs:
        await leg.connect(join)
    recording = directory / "recording"
    process = await asyncio.create_subprocess_exec(
        program,
        str(seconds),
        recording,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        pass_fds=[leg.socket.fileno() for leg in legs],
        limit=1 << 20,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write("".join([*(leg.hand_over() for leg in legs), "\n"]).encode())
        if (await asyncio.wait_for(process.stdout.readline(), STOP_S)) != b"ready\n":
            raise RuntimeError("the load program did not begin")
        yield Load(process, recording, legs)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        for leg in legs:
            leg.socket.close()
