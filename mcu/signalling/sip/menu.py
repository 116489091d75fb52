"""The reception's voice menu: which meeting, and with which PIN, by keys. Pure: keys and `now` in, what to do out.

It never says whether a number is a meeting's: after a wrong number it asks for a PIN too, and a wrong number and a
wrong PIN sound the same and take the same time (the door's work is the same for both).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mcu.conference.roster import Language
from mcu.signalling.sip.prompts import Prompt, Words

TRIES: Final = 3
SILENCE_S: Final = 8.0  # without a key: what is asked is said again
BETWEEN_S: Final = 4.0  # after a key: what was pressed is taken for all of it
SILENCES: Final = 3  # in a row: nobody is there
NUMBER_DIGITS: Final = 9
PIN_MOST: Final = 20


class State(StrEnum):
    NUMBER = "number"  # the meeting's is asked for
    TRYING = "trying"  # the door is asked whether it opens without a PIN
    PIN = "pin"
    CHECKING = "checking"  # the door is asked about both
    DONE = "done"


class Event(StrEnum):
    ENTERED = "entered"
    OPENED = "opened"  # the door has
    PIN_ASKED = "pin asked"
    REFUSED = "refused"
    ENDED = "ended"  # too many tries, or nobody is there


S, E = State, Event
TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    S.NUMBER: {E.ENTERED: S.TRYING, E.ENDED: S.DONE},
    S.TRYING: {E.OPENED: S.DONE, E.PIN_ASKED: S.PIN, E.ENDED: S.DONE},
    S.PIN: {E.ENTERED: S.CHECKING, E.ENDED: S.DONE},
    S.CHECKING: {E.OPENED: S.DONE, E.REFUSED: S.NUMBER, E.ENDED: S.DONE},
    S.DONE: {},
}


@dataclass(frozen=True, slots=True)
class Say:
    """One after the other. What is being said stops; a key stops this."""

    prompts: Words
    language: Language


@dataclass(frozen=True, slots=True)
class Ask:
    """The door: `opened`, or `not_opened`, is to be called with what it says. `pin` None: does it open without?"""

    number: str
    pin: str | None

    def __repr__(self) -> str:
        return "Ask()"  # neither is for a log


@dataclass(frozen=True, slots=True)
class HangUp:
    """When this is said."""

    prompts: Words
    language: Language


Action = Say | Ask | HangUp


class Menu:
    """One caller's. `number`: where the call was made to that of a meeting, only its PIN is asked for.

    Of such a call what is pressed before it is known to stand, or to need a PIN, is of the PIN.
    """

    def __init__(self, language: Language, number: str = "") -> None:
        self.state = S.TRYING if number else S.NUMBER
        self.language: Language = language
        self._number, self._pressed, self._ahead = number, "", ""
        self._tries = self._silences = 0
        self._due: float | None = None  # the end of waiting for a key
        self._called = bool(number)

    @property
    def typed(self) -> int:
        """How many keys of what is asked have been pressed."""
        return len(self._pressed)

    @property
    def number_typed(self) -> str:
        """What has been pressed of a number; "" while it is a PIN that is asked for."""
        return self._pressed if self.state is S.NUMBER else ""

    def begin(self, now: float) -> list[Action]:
        if self._called:
            return [Ask(self._number, None)]
        return self._ask(now, Prompt.WELCOME)

    def again(self, now: float) -> list[Action]:
        """What was being said has been cut off: what is asked is said again, unless they are answering already."""
        if self.state not in (S.NUMBER, S.PIN) or self._pressed:
            return []
        return self._ask(now)

    def key(self, key: str, now: float) -> list[Action]:
        """One of 0-9, * and #. Keys pressed while the door is asked are let go: nothing is asked then."""
        if self.state is S.TRYING and self._called and len(self._ahead) <= PIN_MOST:
            self._ahead += key
        if self.state not in (S.NUMBER, S.PIN):
            return []
        self._silences = 0
        match key:
            case "#":
                return self._entered(now)
            case "*" if self._pressed:
                self._pressed = ""  # begin again
                self._wait(now, SILENCE_S)
                return []
            case "*":
                self.language = "en" if self.language == "sv" else "sv"
                return self._ask(now)
        quiet: list[Action] = [] if self._pressed else [Say((), self.language)]  # who presses has heard enough
        self._pressed += key
        self._wait(now, BETWEEN_S)
        full = NUMBER_DIGITS if self.state is S.NUMBER else PIN_MOST
        return self._entered(now) if len(self._pressed) == full else quiet

    def said(self, now: float) -> None:
        """All that was to be said has been: now the time for a key runs."""
        if self.state in (S.NUMBER, S.PIN) and not self._pressed:
            self._wait(now, SILENCE_S)

    def opened(self) -> None:
        """The door has let them in: the rest is the room's."""
        self._move(E.OPENED)

    def not_opened(self, now: float) -> list[Action]:
        """Without a PIN: so it is asked for, whether there is such a meeting or not. With one: wrong."""
        if self.state is S.TRYING:
            self._move(E.PIN_ASKED)
            ahead, self._ahead = self._ahead, ""
            return [*self._ask(now), *(action for key in ahead for action in self.key(key, now))]
        self._tries += 1
        if self._tries == TRIES:
            return self._end(Prompt.WRONG, Prompt.LOOK_AGAIN)
        self._move(E.REFUSED)
        if self._called:
            self._move(E.ENTERED)
            self._move(E.PIN_ASKED)
        return self._ask(now, Prompt.WRONG)

    def next_timer(self) -> float | None:
        return self._due

    def handle_timer(self, now: float) -> list[Action]:
        if self._due is None or now < self._due:
            return []
        return self._entered(now) if self._pressed else self._silent(now)

    def _silent(self, now: float) -> list[Action]:
        """No key for a while, or `#` alone: what is asked is said again."""
        self._silences += 1
        if self._silences == SILENCES:
            return self._end()
        return self.again(now)

    def _entered(self, now: float) -> list[Action]:
        entered, self._pressed, self._due = self._pressed, "", None
        if not entered:
            return self._silent(now)
        if self.state is S.NUMBER:
            self._number = entered
        pin = None if self.state is S.NUMBER else entered
        self._move(E.ENTERED)
        return [Say((Prompt.ONE_MOMENT,), self.language), Ask(self._number, pin)]

    def _ask(self, now: float, *before: Prompt) -> list[Action]:
        """For what is wanted now. The first question says how to hear it in the other language."""
        self._pressed = ""
        self._wait(now, SILENCE_S)
        wanted = Prompt.NUMBER if self.state is S.NUMBER else Prompt.PIN
        other = (Prompt.OTHER_LANGUAGE,) if self.state is S.NUMBER or self._called else ()
        return [Say((*before, wanted, *other), self.language)]

    def _end(self, *before: Prompt) -> list[Action]:
        self._move(E.ENDED)
        self._due = None
        return [HangUp((*before, Prompt.GOODBYE), self.language)]

    def _wait(self, now: float, seconds: float) -> None:
        self._due = now + seconds

    def _move(self, event: Event) -> None:
        self.state = TRANSITIONS[self.state][event]
