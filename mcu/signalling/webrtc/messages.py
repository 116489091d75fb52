"""What a browser and the server say over the one WebSocket, `GET /api/v1/ws`. JSON text frames, tagged by `type`.

It first sends `hello` with its session token (never in the URL); until then nothing is sent to it, and after 5 s
the socket is closed. The legs, the roster and the notices come from here; sound and picture from `POST /api/v1/legs`.
"""

from typing import Literal

import msgspec

from mcu.conference.roster import Called, Language
from mcu.ids import CallId, LegId, NoticeId
from mcu.media.life import LegState
from mcu.media.messages import Layout, NetworkLevel, NetworkTrouble, NoticeKind, Outcome, Personal, Tile

Role = Literal["host", "guest"]
LegKind = Literal["webrtc", "sip", "h323", "recorder", "stream", "probe"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the roster. Who is not announced yet sees only itself; the hosts see the lobby too."""

    leg: LegId
    name: str
    role: Role
    kind: LegKind
    state: LegState
    muted: bool  # by itself or by a host
    camera: bool
    screen: bool
    hand: int  # 0: not raised; else its place in the queue, 1 first
    speaking: bool
    unattended: bool = False  # a machine answered its call: muted until the person there acts


# -- browser to server ----------------------------------------------------------------------------------------------


class FromBrowser(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    pass


class Hello(FromBrowser, frozen=True, kw_only=True, tag="hello"):
    token: str  # session token, from POST /join/{number}, or the reconnect token


class ChooseLanguage(FromBrowser, frozen=True, kw_only=True, tag="language"):
    """Notices and refusals are told in it from now on, on this socket; before, in the one that was joined with."""

    language: Language


class Mute(FromBrowser, frozen=True, kw_only=True, tag="mute"):
    """Oneself, or (hosts) another. A host mutes another; only that person unmutes."""

    muted: bool
    leg: LegId | None = None


class Camera(FromBrowser, frozen=True, kw_only=True, tag="camera"):
    on: bool


class Screen(FromBrowser, frozen=True, kw_only=True, tag="screen"):
    on: bool


class Hold(FromBrowser, frozen=True, kw_only=True, tag="hold"):
    held: bool


class Hand(FromBrowser, frozen=True, kw_only=True, tag="hand"):
    raised: bool
    leg: LegId | None = None  # hosts may lower another's


class ChooseLayout(FromBrowser, frozen=True, kw_only=True, tag="layout"):
    """Mine only, or (hosts) the room's. `None`: as the room."""

    layout: Layout | None
    room: bool = False


class OwnView(FromBrowser, frozen=True, kw_only=True, tag="personal"):
    """Whether I see a picture without myself in it. `None`: as the room."""

    on: bool | None


class Say(FromBrowser, frozen=True, kw_only=True, tag="chat"):
    text: str  # 1 … 2000 characters


class Admit(FromBrowser, frozen=True, kw_only=True, tag="admit"):
    leg: LegId


class Remove(FromBrowser, frozen=True, kw_only=True, tag="remove"):
    leg: LegId


class Lock(FromBrowser, frozen=True, kw_only=True, tag="lock"):
    locked: bool


class PutSpotlight(FromBrowser, frozen=True, kw_only=True, tag="spotlight"):
    leg: LegId | None


class MuteGuests(FromBrowser, frozen=True, kw_only=True, tag="mute_guests"):
    pass


class CallOut(FromBrowser, frozen=True, kw_only=True, tag="call_out"):
    """Hosts: call somebody into the room. `to`: a SIP address, or a telephone number as `+46…`."""

    to: str
    name: str  # as everybody in the room sees and hears it
    role: Role = "guest"
    language: Language

    def __repr__(self) -> str:
        return "CallOut()"  # whom one calls belongs in no log


class HangUp(FromBrowser, frozen=True, kw_only=True, tag="hang_up"):
    """Hosts: call somebody no longer, or be shown no longer what came of it."""

    call: CallId


class EndRoom(FromBrowser, frozen=True, kw_only=True, tag="end"):
    pass


class Leave(FromBrowser, frozen=True, kw_only=True, tag="leave"):
    pass


class RestartIce(FromBrowser, frozen=True, kw_only=True, tag="restart_ice"):
    """One's network changed, or the connection is shaken: an offer made with `restartIce()`.

    Answered by `ice_restarted`. Nobody else is told.
    """

    offer: str  # SDP


AnyFromBrowser = (
    Hello
    | ChooseLanguage
    | Mute
    | Camera
    | Screen
    | Hold
    | Hand
    | ChooseLayout
    | OwnView
    | Say
    | Admit
    | Remove
    | Lock
    | PutSpotlight
    | MuteGuests
    | CallOut
    | HangUp
    | EndRoom
    | Leave
    | RestartIce
)


# -- server to browser ----------------------------------------------------------------------------------------------


class ToBrowser(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    pass


class Welcome(ToBrowser, frozen=True, kw_only=True, tag="welcome"):
    leg: LegId
    role: Role
    title: str
    language: Language
    reconnect_token: str  # takes the same seat again: POST /legs with it as the bearer token, then hello with it
    resume_window_s: float  # how long a lost leg keeps its seat


class Roster(ToBrowser, frozen=True, kw_only=True, tag="roster"):
    """Whole, at each change; at most ten a second."""

    entries: list[Entry]


class Calls(ToBrowser, frozen=True, kw_only=True, tag="calls"):
    """To hosts, whole, at each change: who are called and have no seat yet, and for a while what came of the others."""

    called: list[Called]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    leg: LegId
    name: str
    outcome: Outcome


class NoticeShown(ToBrowser, frozen=True, kw_only=True, tag="notice"):
    """Shown while its sound plays. `text` is in the recipient's language. Sent again to hosts when `untold` changes."""

    notice: NoticeId
    kind: NoticeKind
    text: str
    at: str  # RFC 3339
    untold: list[Told]  # hosts only: "not everybody was told"


class LayoutMap(ToBrowser, frozen=True, kw_only=True, tag="layout_map"):
    """Where everybody is in the picture. A tile's name stands in the roster.

    `content`: whose screen comes as a picture of its own, on the second video line. `personal`: whether this leg is
    left out of its own picture; `no_room`: it wants that, and the server has no room for another encoder.
    """

    layout: Layout
    width: int
    height: int
    tiles: list[Tile]
    content: LegId | None
    personal: Personal


class Network(ToBrowser, frozen=True, kw_only=True, tag="network"):
    """What one's own network is like, as the server sees it, both ways. When it changes, some seconds after it did."""

    level: NetworkLevel
    trouble: NetworkTrouble


class Lobby(ToBrowser, frozen=True, kw_only=True, tag="lobby"):
    """Why we wait: `host` (it has not come), `admission` (it must let us in)."""

    reason: Literal["host", "admission"]


class RoomState(ToBrowser, frozen=True, kw_only=True, tag="room"):
    """From when the others have been told of this leg: until then it is told nothing of the room."""

    locked: bool
    layout: Layout
    spotlight: LegId | None
    active: LegId | None


class Chat(ToBrowser, frozen=True, kw_only=True, tag="chat"):
    """Also sent, oldest first, after `welcome`: what was said since it was announced, and nothing before."""

    leg: LegId
    name: str
    text: str
    at: str  # RFC 3339


class Reconnect(ToBrowser, frozen=True, kw_only=True, tag="reconnect"):
    """The media is gone (its worker died): POST a new offer to /legs with the reconnect token, at once."""


class IceRestarted(ToBrowser, frozen=True, kw_only=True, tag="ice_restarted"):
    """To `restart_ice`: other ICE credentials, and everything else as in the first answer.

    `None`: the connection is over, or the offer is not of it; POST a new one to /legs.
    """

    answer: str | None  # SDP


class IceServer(msgspec.Struct, frozen=True, kw_only=True):
    """As in WebRTC's `RTCConfiguration`."""

    urls: tuple[str, ...]
    username: str
    credential: str


class RelaysNow(ToBrowser, frozen=True, kw_only=True, tag="relays"):
    """Instead of the `ice_servers` that joining was answered with, for the next ICE restart or connection.

    After `welcome`, and again before the credentials end; never where they do not.
    """

    ice_servers: list[IceServer]


class Ending(ToBrowser, frozen=True, kw_only=True, tag="ending"):
    """The room ends at this time, and everybody in it leaves. `None`: it does not after all."""

    at: str | None  # RFC 3339


class Refusal(ToBrowser, frozen=True, kw_only=True, tag="refusal"):
    """What was asked was not done. `code` as in the HTTP problems."""

    code: str
    text: str


class Gone(ToBrowser, frozen=True, kw_only=True, tag="gone"):
    """The last message. `cause`: left, removed, ended, timeout (the seat or the connection), replaced (the same seat
    was opened elsewhere), refused (no `hello` in time, or its token holds no more), slow (it reads too slowly)."""

    cause: str


AnyToBrowser = (
    Welcome
    | Roster
    | Calls
    | NoticeShown
    | LayoutMap
    | Network
    | Lobby
    | RoomState
    | Chat
    | Reconnect
    | IceRestarted
    | RelaysNow
    | Ending
    | Refusal
    | Gone
)
