"""WebRTC legs for the load program: connected here (SDP, ICE, DTLS), then carried by `load/`, which is C.

Each is what a browser is to a server: Opus at 48 kHz over DTLS-SRTP, the audio level in the clear header, ICE consent
in both roles, an RTCP report each second; where it has a camera or sees, H.264 or VP8, simulcast (RFC 8853), NACK and
REMB. Sound and pictures were encoded beforehand. A thousand of them cost less than one browser.
"""

import asyncio
import contextlib
import fcntl
import hashlib
import json
import secrets
import socket
import struct
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol, cast

from aioice import stun
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import SRTP_AEAD_AES_128_GCM, SRTP_AEAD_AES_256_GCM, SRTP_AES128_CM_SHA1_80
from aiortc.sdp import SessionDescription

from benchmarks.cable import inside
from mcu.demo.sources import Spoken
from mcu.media.seams import VideoCodec

HERE: Final = "127.0.0.1"
ROOT: Final = Path(__file__).parents[1]
LEVEL_ID: Final = 1
MID_ID, RID_ID, WIDE_ID = 3, 4, 5
WIDE: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
PAYLOAD_TYPE: Final = 111
_PICTURE_TYPES: Final[dict[VideoCodec, int]] = {"H264": 102, "VP8": 96}
RIDS: Final = ("q", "h", "f")
REMB: Final = 8_000_000  # bit/s: the network is no limit
PHASE: Final = 7  # packets of its sound that each leg is ahead of the one before
CONNECT_S: Final = 10.0
PROBE_S: Final = 0.05
CONSENT_S: Final = 2.0
STOP_S: Final = 30.0
_PROFILES: Final = {
    SRTP_AEAD_AES_256_GCM: "AEAD_AES_256_GCM",
    SRTP_AEAD_AES_128_GCM: "AEAD_AES_128_GCM",
    SRTP_AES128_CM_SHA1_80: "AES128_CM_SHA1_80",
}
_RECORD: Final = struct.Struct("=IqHIH")
_SENT, _PICTURE, _MARKER, _REPORT = 1 << 31, 1 << 30, 1 << 29, 1 << 28
_NUMBER: Final = _REPORT - 1

Join = Callable[[str], Awaitable[str]]  # an SDP offer in, the answer out


def build() -> Path:
    """The load program, compiled once for what its sources say now.

    Before legs are connected: on a busy machine compiling takes longer than a server keeps a leg that is silent.
    """
    native, load = ROOT / "native/src", ROOT / "benchmarks/load"
    sources = [*load.glob("*.c"), *(native / "wire").glob("*.c"), *(native / "video").glob("h264*.c")]
    sources += [native / "video/payload.c", native / "video/vp8.c", native / "congestion/arrived.c"]
    headers = [*load.glob("*.h"), *native.glob("*/*.h"), *(ROOT / "native/include").rglob("*.h")]
    said = hashlib.sha256(b"".join(path.read_bytes() for path in sorted([*sources, *headers])))
    program = ROOT / "build/load" / said.hexdigest()[:16]
    program.parent.mkdir(parents=True, exist_ok=True)
    with program.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another benchmark may be at it
        if not program.exists():
            made = program.with_suffix(".made")
            flags = ("-std=c11", "-D_GNU_SOURCE", "-O2", "-I", ROOT / "native/include")
            subprocess.run(["cc", *flags, "-o", made, *sources, "-lcrypto"], check=True)
            made.replace(program)
    return program


def write_sound(path: Path, packets: Iterable[Spoken]) -> Path:
    """Packets as the load program reads them: level, size, Opus."""
    with path.open("wb") as file:
        for packet in packets:
            file.write(struct.pack("<BH", packet.level, len(packet.payload)) + packet.payload)
    return path


def write_pictures(path: Path, pictures: Iterable[bytes]) -> Path:
    """Pictures as the load program reads them: size, picture. The first is a key frame."""
    with path.open("wb") as file:
        for picture in pictures:
            file.write(struct.pack("<I", len(picture)) + picture)
    return path


@dataclass(frozen=True)
class Camera:
    """What a leg shows: its layers, the smallest first, each a file of pictures, and how many are sent in a second.

    At `fps` 0 it is off: nothing is sent, and the composed picture is taken all the same.
    """

    layers: tuple[Path, ...]
    fps: int
    codec: VideoCodec = "H264"


@dataclass(frozen=True)
class Carry:
    """What a leg does: its sound, and what of it is lost on its way (by chance, or each nth packet); its camera."""

    sound: Path = Path()
    record: bool = False
    loss_per_mille: int = 0
    lose_every: int = 0
    camera: Camera | None = None  # with one, it takes the composed picture too
    record_pictures: bool = False
    far_ms: int = 0  # its line, each way
    lossy_per_mille: int = 0
    jitter_ms: int = 0  # what it sends is later by chance, by up to so much, and may be overtaken
    pace_kbit: int = 0  # a second, at which its pictures leave it
    miss_every: int = 0  # nth packet of the composed picture, lost on its way here
    reports: bool = False  # by transport-wide feedback when each packet came, and takes RTX; else: no limit, by REMB
    network: str = ""  # the namespace that it is in; none: this machine's own
    host: str = HERE  # at which the server is reached from there


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
        with inside(carry.network):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("", 0))
        self.socket.setblocking(False)
        self.socket.set_inheritable(True)
        self._carry, self._phase = carry, phase
        self._ssrc = secrets.randbits(31)
        self._layers = [secrets.randbits(31) for _ in carry.camera.layers] if carry.camera else []
        self._simulcast = False
        self._ufrag, self._password = secrets.token_hex(4), secrets.token_hex(12)
        self._their_ufrag = self._their_password = ""
        self._records: asyncio.Queue[bytes] = asyncio.Queue()
        self._proved = asyncio.Event()
        self._dtls = _Dtls(cast(RTCIceTransport, self), [certificate])
        self._dtls._srtp_profiles = list(_PROFILES)

    async def connect(self, join: Join) -> None:
        """Join, prove the address, and shake hands."""
        text = await join(self._offer())
        self._simulcast = "a=simulcast:recv" in text
        media = SessionDescription.parse(text).media[0]
        assert media.ice
        assert media.ice.usernameFragment
        assert media.ice.password
        assert media.dtls
        self._dtls._set_role("server" if media.dtls.role == "client" else "client")
        self._their_ufrag, self._their_password = media.ice.usernameFragment, media.ice.password
        wanted = (one for one in media.ice_candidates if one.protocol == "udp" and ":" not in one.ip)
        candidate = next(one for one in wanted if not self._carry.network or one.ip == self._carry.host)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ours:
            ours.bind((candidate.ip, 0))  # the server is on this machine, or nothing is sent
        self.socket.connect((candidate.ip, candidate.port))
        asyncio.get_running_loop().add_reader(self.socket, self._read)
        async with asyncio.timeout(CONNECT_S):
            while not self._proved.is_set():
                self.check()
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
            "record": int(self._carry.record) | int(self._carry.record_pictures) << 1,
            "loss": self._carry.loss_per_mille,
            "every": self._carry.lose_every,
            "far": self._carry.far_ms,
            "lossy": self._carry.lossy_per_mille,
            "jitter": self._carry.jitter_ms,
            "pace": self._carry.pace_kbit,
            "miss": self._carry.miss_every,
        }
        pairs = [*words.items(), *self._picture_words()]
        return f"{self.socket.fileno()} " + " ".join(f"{name}={value}" for name, value in pairs) + "\n"

    def _picture_words(self) -> list[tuple[str, object]]:
        camera = self._carry.camera
        if camera is None:
            return []
        codec, kind = camera.codec.lower(), _PICTURE_TYPES[camera.codec]
        layers = [*zip(self._layers, RIDS, camera.layers, strict=False)] if camera.fps else []
        if layers and not self._simulcast:  # as a browser then does
            layers = [(self._layers[-1], "", camera.layers[-1])]
        words: dict[str, object] = {"mid": f"{MID_ID}:1", "rid": RID_ID, "sees": kind}
        words |= {"fps": camera.fps} if camera.fps else {}
        words |= {"wide": WIDE_ID, "again": kind + 1} if self._carry.reports else {"rate": REMB}
        return [*words.items(), *(("layer", f"{ssrc}:{kind}:{codec}:{rid}:{path}") for ssrc, rid, path in layers)]

    def _offer(self) -> str:
        port = self.socket.getsockname()[1]
        lines = (
            "v=0",
            f"o=- {secrets.randbits(62)} 2 IN IP4 127.0.0.1",
            "s=-",
            "t=0 0",
            f"a=group:BUNDLE 0{' 1' * bool(self._layers)}",
            f"m=audio {port} UDP/TLS/RTP/SAVPF {PAYLOAD_TYPE}",
            *(transport := self._transport_lines()),
            "a=mid:0",
            f"a=extmap:{LEVEL_ID} urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=sendrecv",
            "a=rtcp-mux",
            f"a=rtpmap:{PAYLOAD_TYPE} opus/48000/2",
            f"a=fmtp:{PAYLOAD_TYPE} minptime=10;useinbandfec=1",
            f"a=ssrc:{self._ssrc} cname:load",
            *self._wide_lines(PAYLOAD_TYPE),
            *(self._picture_lines(self._carry.camera, transport) if self._carry.camera else ()),
        )
        return "\r\n".join(lines) + "\r\n"

    def _transport_lines(self) -> tuple[str, ...]:
        (fingerprint, *_) = [one for one in self._dtls.getLocalParameters().fingerprints if one.algorithm == "sha-256"]
        return (
            f"c=IN IP4 {HERE}",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=candidate:1 1 udp 2130706431 {HERE} {self.socket.getsockname()[1]} typ host",
            "a=end-of-candidates",
            f"a=ice-ufrag:{self._ufrag}",
            f"a=ice-pwd:{self._password}",
            f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}",
            "a=setup:actpass",
        )

    def _wide_lines(self, kind: int) -> tuple[str, ...]:
        return (f"a=extmap:{WIDE_ID} {WIDE}", f"a=rtcp-fb:{kind} transport-cc") if self._carry.reports else ()

    def _picture_lines(self, camera: Camera, transport: Sequence[str]) -> tuple[str, ...]:
        """The line of the camera, on which the composed picture comes."""
        kind, rids = _PICTURE_TYPES[camera.codec], RIDS[: len(camera.layers)]
        many = [*(f"a=rid:{rid} send" for rid in rids), f"a=simulcast:send {';'.join(rids)}"]
        return (
            f"m=video 9 UDP/TLS/RTP/SAVPF {kind}{f' {kind + 1}' * self._carry.reports}",
            *transport,
            "a=mid:1",
            f"a=extmap:{MID_ID} urn:ietf:params:rtp-hdrext:sdes:mid",
            f"a=extmap:{RID_ID} urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
            "a=sendrecv",
            "a=rtcp-mux",
            f"a=rtpmap:{kind} {camera.codec}/90000",
            *(f"a=rtcp-fb:{kind} {said}" for said in ("nack", "nack pli", "ccm fir", "goog-remb")),
            *self._wide_lines(kind),
            *([f"a=rtpmap:{kind + 1} rtx/90000", f"a=fmtp:{kind + 1} apt={kind}"] if self._carry.reports else ()),
            *([f"a=fmtp:{kind} packetization-mode=1;profile-level-id=42e01f"] if camera.codec == "H264" else ()),
            *(many if len(rids) > 1 else [f"a=ssrc:{self._layers[0]} cname:load"]),
        )

    # -- the network ------------------------------------------------------------------------------------------------

    def check(self) -> None:
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
    """One packet of a recorded leg. `at`: monotonic seconds. Of a picture that was sent: its place in its file.

    Of a sender report: the RTP timestamp, and as its payload the NTP timestamp (u64) of the same moment.
    """

    at: float
    sequence: int
    timestamp: int
    payload: bytes
    marker: bool = False


@dataclass
class Recorded:
    """What a recorded leg sent and received, in order of time."""

    sent: list[Packet] = field(default_factory=list)
    received: list[Packet] = field(default_factory=list)
    shown: list[Packet] = field(default_factory=list)  # pictures that its camera sent
    seen: list[Packet] = field(default_factory=list)  # packets of the composed picture
    sound_reports: list[Packet] = field(default_factory=list)  # the server's
    picture_reports: list[Packet] = field(default_factory=list)

    def put(self, packet: Packet, flags: int) -> None:
        if flags & _REPORT:
            (self.picture_reports if flags & _PICTURE else self.sound_reports).append(packet)
        elif flags & _PICTURE:
            (self.shown if flags & _SENT else self.seen).append(packet)
        else:
            (self.sent if flags & _SENT else self.received).append(packet)


class Leg(Protocol):
    """One that is connected."""

    @property
    def socket(self) -> socket.socket: ...

    def hand_over(self) -> str:
        """Nothing is read here any more; the line that the load program wants."""


@dataclass
class Load:
    """Legs that are carried: started by `begin`, and gone after their time."""

    process: asyncio.subprocess.Process
    recording: Path
    legs: Sequence[Leg]

    async def begin(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"go\n")
        await self.process.stdin.drain()

    async def results(self) -> list[dict[str, Any]]:
        """What each leg counted, when the time is over: sent, received, lost, longest_gap_ms …

        Raises `RuntimeError` where none was sent anything: what the server cost is then not what legs cost.
        """
        assert self.process.stdout
        lines = (await self.process.stdout.read()).decode().splitlines()
        if await self.process.wait():
            raise RuntimeError("the load program failed")
        counted = [json.loads(line) for line in lines]
        if not any(leg["received"] for leg in counted):
            raise RuntimeError("no leg was sent any sound")
        return counted

    def recorded(self) -> dict[int, Recorded]:
        """By number of the leg."""
        found: dict[int, Recorded] = {}
        data = self.recording.read_bytes()
        at = 0
        while at < len(data):
            leg, when, sequence, timestamp, size = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            packet = Packet(when / 1e6, sequence, timestamp, data[at : at + size], bool(leg & _MARKER))
            at += size
            found.setdefault(leg & _NUMBER, Recorded()).put(packet, leg)
        return found


async def _connect(legs: Sequence[WebRtcLeg], join: Join) -> None:
    """One after another; those that are connected go on consenting while the others come."""
    connected: list[WebRtcLeg] = []

    async def stay() -> None:
        while True:
            await asyncio.sleep(CONSENT_S)
            for leg in connected:
                leg.check()

    staying = asyncio.create_task(stay())
    try:
        for leg in legs:
            await leg.connect(join)
            connected.append(leg)
    finally:
        staying.cancel()


@contextlib.asynccontextmanager
async def carried(
    join: Join, wanted: Sequence[Carry], directory: Path, seconds: float, settle: float = 0
) -> AsyncIterator[Load]:
    """Legs, connected, in the load program, which waits for `begin`. `settle`: seconds that are not counted."""
    program, certificate = build(), RTCCertificate.generateCertificate()
    legs = [WebRtcLeg(certificate, carry, PHASE * number) for number, carry in enumerate(wanted)]
    await _connect(legs, join)
    async with carried_by(program, legs, directory, seconds, settle) as load:
        yield load


@contextlib.asynccontextmanager
async def carried_by(
    program: Path, legs: Sequence[Leg], directory: Path, seconds: float, settle: float = 0
) -> AsyncIterator[Load]:
    """The same of legs that are connected already, by the program that `build` made before."""
    recording = directory / "recording"
    process = await asyncio.create_subprocess_exec(
        program,
        str(seconds),
        str(settle),
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
