"""How `messages` and `call_messages` go between the control process and a worker: which there are, and their frames."""

import msgspec

from mcu.media.call_messages import CallCommand, CallEvent, RelayCommand
from mcu.media.messages import (
    AddLeg,
    AdmitLeg,
    Answered,
    CameraLeg,
    CheckNetwork,
    CloseRoom,
    CostChanged,
    Done,
    Failed,
    GetLegMedia,
    HoldLeg,
    LayoutChanged,
    LegChanged,
    LegMediaReply,
    LegTold,
    MuteLeg,
    NetworkChanged,
    NoticeChanged,
    OpenRoom,
    PersonalLeg,
    Ping,
    RemoveLeg,
    RestartIce,
    SayToLeg,
    SetLegLayout,
    SetRoomLayout,
    SpeakersChanged,
    Spotlight,
    WorkerReport,
)

AnyCommand = (
    OpenRoom
    | CloseRoom
    | AddLeg
    | AdmitLeg
    | RemoveLeg
    | MuteLeg
    | HoldLeg
    | CameraLeg
    | SetRoomLayout
    | SetLegLayout
    | PersonalLeg
    | Spotlight
    | RestartIce
    | GetLegMedia
    | SayToLeg
    | CheckNetwork
    | CallCommand
    | RelayCommand
    | Ping
)
AnyReply = Done | Answered | LegMediaReply | Failed
AnyEvent = (
    LegChanged
    | NoticeChanged
    | SpeakersChanged
    | LayoutChanged
    | NetworkChanged
    | CostChanged
    | LegTold
    | CallEvent
    | WorkerReport
)


class ToWorker(msgspec.Struct, frozen=True, tag="c"):
    """One length-prefixed msgpack frame, control process to worker."""

    id: int
    command: AnyCommand


class ToControl(msgspec.Struct, frozen=True, tag="r"):
    """One length-prefixed msgpack frame, worker to control process: a reply where `id` is set, else an event."""

    id: int | None
    body: AnyReply | AnyEvent
