"""What is said to telephones. Each prompt is a file in each language: `mcu/media/spoken/sv.txt` and `en.txt`."""

from enum import StrEnum
from typing import Final

from mcu.media.messages import Layout, NoticeKind

Words = tuple[str, ...]  # names of prompts, to be said one after the other


class Prompt(StrEnum):
    """All but the numbers, which `number` names."""

    # the reception
    WELCOME = "welcome"
    NUMBER = "number"  # enter the meeting number, end with hash
    OTHER_LANGUAGE = "other-language"  # star is for it; in that language
    PIN = "pin"
    WRONG = "wrong"  # the number or the PIN
    ONE_MOMENT = "one-moment"
    LOOK_AGAIN = "look-again"  # at the invitation, and call again: too many tries
    GOODBYE = "goodbye"  # before we hang up

    # why nobody comes in
    NOT_OPEN = "not-open"
    MEETING_OVER = "meeting-over"
    MEETING_LOCKED = "meeting-locked"
    MEETING_FULL = "meeting-full"
    NOT_SECURED = "not-secured"  # the call is in the clear, which this meeting does not take
    TOO_MANY = "too-many"  # attempts
    CALL_LATER = "call-later"  # it cannot be done now

    # coming in
    CALLED = "called"  # to one whom we call: what it is about
    PRESS = "press"  # to one whose telephone answered by itself: a key, to be heard
    ENTERED = "entered"
    LET_IN = "let-in"  # after the lobby
    LOBBY_HOST = "lobby-host"  # the host is not here yet
    LOBBY_ADMISSION = "lobby-admission"
    STILL_WAITING = "still-waiting"

    # answers to keys
    ONLY_HOST = "only-host"
    CANNOT = "cannot"
    MUTED = "muted"
    UNMUTED = "unmuted"
    GUESTS_MUTED = "guests-muted"
    LOCKED = "locked"
    UNLOCKED = "unlocked"
    HAND_UP = "hand-up"
    HAND_DOWN = "hand-down"
    ADMITTED = "admitted"  # somebody was let in
    NOBODY_WAITS = "nobody-waits"
    PRESENTATION_IN = "presentation-in"  # in the picture
    PRESENTATION_OUT = "presentation-out"
    PRESENTATION_SHOWN = "presentation-shown"  # and this telephone sees nothing of it
    PRESENTATION_NONE = "presentation-none"
    LAYOUT_AUTO = "layout-auto"
    LAYOUT_SPEAKER = "layout-speaker"
    LAYOUT_SPEAKER_WITH_TILES = "layout-speaker-with-tiles"
    LAYOUT_GRID = "layout-grid"
    LAYOUT_PRESENTATION = "layout-presentation"
    END_AGAIN = "end-again"  # press it again to end the meeting
    HELP = "help"
    HELP_HOST = "help-host"  # what else hosts have
    HELP_LOBBY = "help-lobby"

    # the roll
    ALONE = "alone"
    HERE = "here"  # after a number
    NO_HOST = "no-host"
    ONE_HOST = "one-host"
    HOSTS = "hosts"  # after a number
    ONE_TELEPHONE = "one-telephone"
    TELEPHONES = "telephones"  # after a number
    ONE_WAITS = "one-waits"
    WAIT = "wait"  # after a number
    ONE_HAND = "one-hand"
    HANDS = "hands"  # after a number
    IS_LOCKED = "is-locked"

    # what happens
    IS_MUTED = "is-muted"  # from the beginning
    MUTED_BY_HOST = "muted-by-host"
    HAND_LOWERED = "hand-lowered"  # by a host
    IS_HOST = "is-host"
    IS_GUEST = "is-guest"
    ONE_JOINED = "one-joined"
    JOINED = "joined"  # after a number
    ONE_LEFT = "one-left"
    LEFT = "left"  # after a number
    ONE_BACK = "one-back"
    BACK = "back"  # after a number
    WHILE_AWAY = "while-away"  # before what was missed
    NOT_ALL_TOLD = "not-all-told"
    ENDS_IN = "ends-in"  # before a number
    ONE_MINUTE = "one-minute"
    MINUTES = "minutes"  # after a number
    ENDED = "ended"
    REMOVED = "removed"


LAYOUTS: Final = {
    Layout.AUTO: Prompt.LAYOUT_AUTO,
    Layout.SPEAKER: Prompt.LAYOUT_SPEAKER,
    Layout.SPEAKER_WITH_TILES: Prompt.LAYOUT_SPEAKER_WITH_TILES,
    Layout.GRID: Prompt.LAYOUT_GRID,
    Layout.PRESENTATION_WITH_TILES: Prompt.LAYOUT_PRESENTATION,
}
_NEWS: Final = {
    NoticeKind.JOINED: (Prompt.ONE_JOINED, Prompt.JOINED),
    NoticeKind.LEFT: (Prompt.ONE_LEFT, Prompt.LEFT),
    NoticeKind.RECONNECTED: (Prompt.ONE_BACK, Prompt.BACK),
}


def number(count: int) -> Words:
    """0 … 999, as it is put together in both languages."""
    hundreds, rest = divmod(min(count, 999), 100)
    words: Words = (*number(hundreds), "n100") if hundreds else ()
    if rest > 20:
        tens, ones = divmod(rest, 10)
        return (*words, f"n{tens}0", *(number(ones) if ones else ()))
    return (*words, f"n{rest}") if rest or not hundreds else words


def counted(count: int, one: Prompt, many: Prompt) -> Words:
    """Nothing where there are none."""
    if not count:
        return ()
    return (one,) if count == 1 else (*number(count), many)


def news(kind: NoticeKind, count: int) -> Words:
    """Of how many a notice tells."""
    return counted(count, *_NEWS[kind])
