"""What a room system sees of the voice menu, in words."""

import pytest

from mcu.media.call_messages import Card
from mcu.signalling.sip.cards import of_menu, said
from mcu.signalling.sip.menu import Menu, Say, State
from mcu.signalling.sip.prompts import Prompt, Words

NUMBER = "482915370"


def pressed(menu: Menu, keys: str) -> Words:
    """What was said last."""
    words: Words = ()
    for key in keys:
        words = next((one.prompts for one in menu.key(key, 0) if isinstance(one, Say)), words)
    return words


def test_a_number_is_shown_as_it_is_pressed_and_the_keys_say_what_they_do() -> None:
    menu = Menu("sv")
    [first] = menu.begin(0)
    assert isinstance(first, Say)
    asked = of_menu(menu, first.prompts)
    assert asked == Card(
        title="Mötets nummer",
        note="Välkommen till mötestjänsten.",
        keys=(("0–9", "Skriv med knapparna"), ("#", "Klar"), ("*", "English")),
    )
    shown = of_menu(menu, pressed(menu, NUMBER[:5]))
    assert (shown.typed, shown.note, shown.keys[-1]) == ("482 91", "", ("*", "Börja om"))
    pressed(menu, "**")
    assert of_menu(menu, ()).title == "Meeting number"


@pytest.mark.parametrize("keys", ["135790", "246802"])
def test_of_a_pin_there_are_only_dots(keys: str) -> None:
    menu = Menu("en")
    menu.begin(0)
    pressed(menu, NUMBER)
    assert of_menu(menu, ()).title == "One moment."
    menu.not_opened(0)
    pressed(menu, keys)
    shown = of_menu(menu, ())
    assert (shown.title, shown.typed) == ("PIN", "●●●●●●")
    assert not any(digit in repr((shown.title, shown.note, shown.typed)) for digit in keys)


def test_who_was_wrong_reads_so_until_the_next_key() -> None:
    menu = Menu("sv", NUMBER)
    menu.begin(0)
    menu.not_opened(0)
    pressed(menu, "1#")
    [again] = menu.not_opened(0)
    assert isinstance(again, Say)
    assert menu.state is State.PIN
    assert of_menu(menu, again.prompts).note == "Numret eller pinkoden är fel."
    assert of_menu(menu, pressed(menu, "1")).note == ""


def test_what_is_said_in_parting_can_be_read() -> None:
    shown = Card(title="Mötet har inte öppnat än.", note="Ring igen när det börjar. Hej då.")
    assert said((Prompt.NOT_OPEN, Prompt.GOODBYE), "sv") == shown
    assert said((Prompt.ONE_MOMENT,), "en") == Card(title="One moment.", note="")
