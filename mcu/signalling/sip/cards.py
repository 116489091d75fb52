"""What a call with picture sees before it is in a room, and after: which keys do what, what was pressed, what is said.

Of a PIN there are only dots: how many digits it has so far.
"""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from mcu.conference.roster import Language, Wait
from mcu.media.call_messages import Card
from mcu.media.prompts import texts
from mcu.signalling.sip.menu import Menu, State
from mcu.signalling.sip.prompts import Prompt, Words

GROUP: Final = 3  # digits of a number are read in threes
DOT: Final = "●"
NOTED: Final = (Prompt.WELCOME, Prompt.WRONG)  # what is said before it is asked again

_TITLES: Final[Mapping[Language, Mapping[State, str]]] = {
    "sv": {State.NUMBER: "Mötets nummer", State.PIN: "Pinkod"},
    "en": {State.NUMBER: "Meeting number", State.PIN: "PIN"},
}
_DIGITS: Final = {"sv": "Skriv med knapparna", "en": "Enter it with the keys"}
_DONE: Final = {"sv": "Klar", "en": "Done"}
_ANEW: Final = {"sv": "Börja om", "en": "Start again"}
_MICROPHONE: Final = {"sv": "Mikrofonen av eller på", "en": "Microphone off or on"}
_HELP: Final = {"sv": "Hjälp", "en": "Help"}
_OTHER: Final = {"sv": "English", "en": "Svenska"}

SPOKEN: Final[Mapping[Language, Mapping[str, str]]] = {"sv": texts("sv"), "en": texts("en")}


def said(words: Words, language: Language) -> Card:
    """What is said: its first sentence, and the rest below."""
    title, stop, rest = " ".join(SPOKEN[language][word] for word in words).partition(". ")
    return Card(title=title + stop.strip(), note=rest)


def in_lobby(reason: Wait, language: Language) -> Card:
    """What it waits for: of who is in the meeting it may know nothing (S5.3-1)."""
    words = (Prompt.LOBBY_HOST if reason == "host" else Prompt.LOBBY_ADMISSION,)
    return replace(said(words, language), keys=(("*6", _MICROPHONE[language]), ("*0", _HELP[language])))


def of_menu(menu: Menu, words: Words) -> Card:
    """`words`: what was said last."""
    language = menu.language
    title = _TITLES[language].get(menu.state)
    if title is None:
        return said((Prompt.ONE_MOMENT,), language)
    note = " ".join(SPOKEN[language][word] for word in words if word in NOTED)
    return Card(title=title, note=note, typed=_typed(menu), keys=_keys(menu))


def _typed(menu: Menu) -> str:
    if menu.state is State.PIN:
        return DOT * menu.typed
    number = menu.number_typed
    return " ".join(number[at : at + GROUP] for at in range(0, len(number), GROUP))


def _keys(menu: Menu) -> tuple[tuple[str, str], ...]:
    language = menu.language
    keys = (("0–9", _DIGITS[language]), ("#", _DONE[language]))
    if menu.typed:
        return (*keys, ("*", _ANEW[language]))
    return (*keys, ("*", _OTHER[language]))
