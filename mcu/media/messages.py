"""What the control process and a media worker say to each other.

The worker knows legs and streams, not people or bookings. The same messages go over a local socket today and over NATS
in a cluster (`frames`). A command is answered by a reply, or by `Failed`; an event is answered by nothing. What is said
of calls that are in no room yet is in `call_messages`.

No command opens the gate: `AdmitLeg` only starts the announcing, and the worker alone decides when it is over (S5.3-1).
No command or field silences a notice (S5.3-3).
"""

from enum import StrEnum
from typing import Literal

import msgspec

from mcu.ids import CallId, LegId, NoticeId, RoomId
from mcu.media.life import LegState


class Layout(StrEnum):
    """How a view arranges its tiles."""

    AUTO = "auto"  # presentation_with_tiles while somebody shares, else grid up to 4, else speaker_with_tiles
    SPEAKER = "speaker"
    SPEAKER_WITH_TILES = "speaker_with_tiles"  # one large and up to seven small
    GRID = "grid"  # 1, 2x2, 3x3, 4x4, 5x5 by count
    PRESENTATION_WITH_TILES = "presentation_with_tiles"


class Personal(StrEnum):
    """Whether a leg's composed picture is its own, without itself in it."""

    SHARED = "shared"  # no: it sees what others see
    PERSONAL = "personal"
    NO_ROOM = "no_room"  # it asked, and the worker has no room for another encoder


class Source(StrEnum):
    """Which of a leg's two pictures."""

    CAMERA = "camera"
    SCREEN = "screen"


class NoticeKind(StrEnum):
    """What the others are told."""

    JOINED = "joined"
    LEFT = "left"
    RECONNECTED = "reconnected"
    MISSED = "missed"  # the summary for a leg that was away (S5.3-6)


class Outcome(StrEnum):
    """What became of a notice for one recipient (S5.3-7)."""

    PENDING = "pending"  # being sent
    SENT = "sent"  # sent whole; no RTCP report has covered it yet
    RECEIVED = "received"  # an RTCP receiver report covers all of it, without loss in that interval beyond the limit
    NOT_RECEIVED = "not_received"  # reports show it was lost, or none came in time
    NOT_SENT = "not_sent"  # the leg went away, or was away; it is owed a summary


class NetworkLevel(StrEnum):
    """How a leg's network is."""

    GOOD = "good"
    WEAK = "weak"  # sound gets through; picture may freeze or is simpler
    POOR = "poor"  # sound has gaps, or comes much too late


class NetworkTrouble(StrEnum):
    """What is wrong with it, as the leg's own person would say."""

    NONE = "none"
    SENDING = "sending"  # what they send is lost, or late: the others hear and see them with gaps
    RECEIVING = "receiving"  # what is sent to them is lost
    DELAY = "delay"  # it all gets through, late
    NARROW = "narrow"  # they get the smallest picture there is, for the sake of the sound
    STOPPED = "stopped"  # they get none, likewise


class Cause(StrEnum):
    """Why a leg is gone or away."""

    HANGUP = "hangup"
    REMOVED = "removed"
    NETWORK = "network"
    WORKER = "worker"
    FAILED = "failed"  # could not connect: ICE, DTLS
    ENDED = "ended"  # the meeting ended


# -- values ---------------------------------------------------------------------------------------------------------


class RoomProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How a room is mixed. Sizes in pixels, rates as named."""

    width: int = 1280
    height: int = 720
    fps: int = 30
    layout: Layout = Layout.AUTO
    loudest: int = 5  # talkers mixed at a time
    language: str = "sv"
    resume_window_s: float = 60.0  # how long a lost leg keeps its seat


class AbsentLeg(msgspec.Struct, frozen=True, kw_only=True):
    """A seat that was taken when the former worker died: its browser is on its way back."""

    leg: LegId
    label: str
    language: str = "sv"
    muted: bool = False
    held: bool = False


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """Where a leg is in a composed picture. Pixels from the top left of the view."""

    leg: LegId
    source: Source
    x: int
    y: int
    width: int
    height: int


class NoticeRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One notice and what became of it. Sent again, whole, each time something in it changes."""

    notice: NoticeId
    kind: NoticeKind
    legs: tuple[LegId, ...]  # whom it is about
    cause: Cause | None  # why, for LEFT
    wall_ms: int  # Unix time when its first sample was mixed
    tick: int  # the same, in ticks of the worker
    missed: dict[NoticeKind, int]  # for MISSED: how many of each; else empty
    recipients: dict[LegId, Outcome]


class StreamStats(msgspec.Struct, frozen=True, kw_only=True):
    """One stream of a leg, one way. Counted since the leg connected.

    Rates are of the last seconds.
    """

    media: str  # "audio", "camera", "screen", "video" (the composed one), "content"
    codec: str
    layer: str = ""  # of a simulcast that is received: the name that its sender gave it
    chosen: bool = False  # its pictures are taken
    packets: int = 0
    bytes: int = 0
    lost: int = 0
    loss_percent: float = 0.0
    jitter_ms: float = 0.0
    bitrate_bps: int = 0
    width: int = 0
    height: int = 0
    frame_rate: float = 0.0
    concealed_ms: int = 0  # sound that was made up for what did not come in time
    recovered_ms: int = 0  # sound that was lost and came back in band (Opus FEC)
    delay_ms: int = 0  # of the jitter buffer
    nacks: int = 0  # packets that were asked for again: received streams by us, sent ones by the far end
    resent: int = 0  # of those, the ones that came or went again
    keys_asked: int = 0  # key frames


class LineStats(msgspec.Struct, frozen=True, kw_only=True):
    """What a leg's line carries towards it, as far as it is known."""

    bits_per_second: int  # in all
    pictures_bps: int  # what sound leaves of it
    loss_percent: float  # of the last second or two
    rtt_ms: float | None  # with the wait for its feedback
    state: Literal["steady", "filling", "losing", "silent"]  # filling: it is too full, and is sent less


class LegMedia(msgspec.Struct, frozen=True, kw_only=True):
    """Both ways of a leg. `receiving` is what the server gets from it."""

    leg: LegId
    rtt_ms: float | None
    line: LineStats | None  # None: it gets no pictures, and says nothing of what arrives
    srtp_profile: str
    receiving: list[StreamStats]
    sending: list[StreamStats]
    dropped: dict[str, int]  # by reason


# -- commands -------------------------------------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Control process to worker."""


class OpenRoom(Command, frozen=True, kw_only=True):
    room: RoomId
    profile: RoomProfile
    absent: list[AbsentLeg] = []


class CloseRoom(Command, frozen=True, kw_only=True):
    """Ends every leg with Cause.ENDED."""

    room: RoomId


class AddLeg(Command, frozen=True, kw_only=True):
    """A leg of a browser, by its `offer`; or that of a `call` which this worker has in its reception.

    Answered by `Answered`; to a call the answer is empty. A leg that the room knows already gets its seat back
    (RETURNED).
    """

    room: RoomId
    leg: LegId
    offer: str  # SDP; empty for a call
    call: CallId | None = None
    label: str  # the text on its tile
    language: str = "sv"
    admitted: bool = False  # let in as soon as it is connected
    muted: bool = False


class AdmitLeg(Command, frozen=True, kw_only=True):
    room: RoomId
    leg: LegId


class RemoveLeg(Command, frozen=True, kw_only=True):
    room: RoomId
    leg: LegId
    cause: Cause


class MuteLeg(Command, frozen=True, kw_only=True):
    room: RoomId
    leg: LegId
    muted: bool


class HoldLeg(Command, frozen=True, kw_only=True):
    room: RoomId
    leg: LegId
    held: bool


class CameraLeg(Command, frozen=True, kw_only=True):
    """Whether the leg has its camera on, or shares its screen, as its own client says: an avatar, or a picture."""

    room: RoomId
    leg: LegId
    camera: bool
    screen: bool


class SetRoomLayout(Command, frozen=True, kw_only=True):
    room: RoomId
    layout: Layout


class SetLegLayout(Command, frozen=True, kw_only=True):
    """`None`: the leg sees the room's view again."""

    room: RoomId
    leg: LegId
    layout: Layout | None


class PersonalLeg(Command, frozen=True, kw_only=True):
    """Whether the leg is to see a picture without itself in it. It does where the worker has room for that."""

    room: RoomId
    leg: LegId
    personal: bool


class Spotlight(Command, frozen=True, kw_only=True):
    room: RoomId
    leg: LegId | None


class RestartIce(Command, frozen=True, kw_only=True):
    """New ICE credentials for the connection that a leg has: its network changed. Answered by `Answered`.

    The leg stays where it is, and nobody is told.
    """

    room: RoomId
    leg: LegId
    offer: str  # SDP


class GetLegMedia(Command, frozen=True, kw_only=True):
    """Answered by `LegMediaReply`."""

    room: RoomId
    leg: LegId


class CheckNetwork(Command, frozen=True, kw_only=True):
    """A browser tries by which way it reaches the worker: a connection to no room. Answered by `Answered`."""

    offer: str  # SDP


class SayToLeg(Command, frozen=True, kw_only=True):
    """Say these prompts to a leg, in its language and heard by it alone, in place of what is being said to it.

    The room goes on, softer to that leg. Then comes `LegTold`.
    """

    room: RoomId
    leg: LegId
    prompts: list[str]  # names of files, without their ending; none: be silent
    voice: str = ""  # the organisation whose recordings go before all


class Ping(Command, frozen=True, kw_only=True):
    """Answered by `Done`; a worker that does not answer within a second is taken for dead."""


# -- replies --------------------------------------------------------------------------------------------------------


class Reply(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Worker to control process, to one command."""


class Done(Reply, frozen=True, kw_only=True):
    pass


class Answered(Reply, frozen=True, kw_only=True):
    answer: str  # SDP
    held: bool = False  # a call's other side has it on hold: it wants to hear nothing


class LegMediaReply(Reply, frozen=True, kw_only=True):
    media: LegMedia


class Failed(Reply, frozen=True, kw_only=True):
    """`code` is that of a class in `mcu.errors`; the control process raises it again."""

    code: str
    detail: str


# -- events ---------------------------------------------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Worker to control process, unasked."""


class LegChanged(Event, frozen=True, kw_only=True):
    room: RoomId
    leg: LegId
    state: LegState
    cause: Cause | None = None


class NoticeChanged(Event, frozen=True, kw_only=True):
    room: RoomId
    record: NoticeRecord


class SpeakersChanged(Event, frozen=True, kw_only=True):
    """At most five a second. `active` is the dominant speaker (the one with the border)."""

    room: RoomId
    active: LegId | None
    speaking: list[LegId]


class LayoutChanged(Event, frozen=True, kw_only=True):
    """What these legs see now. `content`: whose screen they get as a picture of its own, beside this one."""

    room: RoomId
    viewers: list[LegId]
    layout: Layout
    width: int
    height: int
    tiles: list[Tile]
    content: LegId | None = None
    personal: Personal = Personal.SHARED


class NetworkChanged(Event, frozen=True, kw_only=True):
    """What a leg's network is like, where that is new."""

    room: RoomId
    leg: LegId
    level: NetworkLevel
    trouble: NetworkTrouble


class CostChanged(Event, frozen=True, kw_only=True):
    """What a room costs now, by the model of `cost`."""

    room: RoomId
    cores: float


class LegTold(Event, frozen=True, kw_only=True):
    """All that was to be said to a leg has been."""

    room: RoomId
    leg: LegId


class NetworkReport(msgspec.Struct, frozen=True, kw_only=True):
    """A worker's packets, both ways. Counters include legs that are gone; the means are of the legs that are there."""

    packets_in: int = 0
    packets_out: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    lost_in: int = 0
    lost_out: int = 0
    jitter_ms_in: float = 0.0
    jitter_ms_out: float = 0.0
    rtt_ms: float = 0.0
    concealed_ms: int = 0
    recovered_ms: int = 0


class WorkerReport(Event, frozen=True, kw_only=True):
    """Once a second. Counters since the worker started."""

    rooms: int
    legs: int
    ticks: int
    late_ticks: int  # later than 10 ms
    audio_encodes: int
    video_encodes: int
    frames_composed: int
    dropped: dict[str, int]  # by reason
    cpu_seconds: float
    tick_late_ms: list[int]  # histogram: sound handed over <1, <2, <5, <10, <20, <50, >=50 ms after its tick was due
    loop_late_ms: list[int]  # the same buckets: what was decoded waited so long for the event loop, each tick
    audio_decodes: int = 0
    audio_coding_seconds: float = 0.0  # processor time of encoding and decoding sound
    network: NetworkReport = NetworkReport()
