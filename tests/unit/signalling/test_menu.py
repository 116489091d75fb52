"""The voice menu: keys in, what is said and asked out."""

import pytest

from mcu.signalling.sip.menu import TRANSITIONS, TRIES, Action, Ask, HangUp, Menu, Say, State
from mcu.signalling.sip.prompts import Prompt

NUMBER, PIN = "482915370", "135790"
NUMBER_ASKED = [Prompt.NUMBER, Prompt.OTHER_LANGUAGE]


class Caller:
    """Presses keys at a menu, with the time told to it."""

    def __init__(self, number: str = "") -> None:
        self.menu, self.now = Menu("sv", number), 0.0
        self.done: list[Action] = self.menu.begin(0)

    def press(self, keys: str) -> list[Action]:
        self.done = [action for key in keys for action in self.menu.key(key, self.now)]
        return self.done

    def wait(self, seconds: float) -> list[Action]:
        until, done = self.now + seconds, list[Action]()
        while (due := self.menu.next_timer()) is not None and due <= until:
            self.now = due
            done += self.menu.handle_timer(due)
        self.now = until
        return done

    def refused(self) -> list[Action]:
        return self.menu.not_opened(self.now)


def prompts(actions: list[Action]) -> list[str]:
    return [prompt for action in actions if isinstance(action, Say | HangUp) for prompt in action.prompts]


def asked(actions: list[Action]) -> Ask:
    return next(action for action in actions if isinstance(action, Ask))


def test_a_number_and_a_pin_lead_to_the_door_and_in() -> None:
    caller = Caller()
    assert prompts(caller.done) == [Prompt.WELCOME, *NUMBER_ASKED]
    assert asked(caller.press(NUMBER)) == Ask(NUMBER, None)
    assert prompts(caller.refused()) == [Prompt.PIN]
    assert asked(caller.press(PIN + "#")) == Ask(NUMBER, PIN)
    caller.menu.opened()
    assert caller.menu.state is State.DONE


def test_a_meeting_without_a_pin_asks_for_none() -> None:
    caller = Caller()
    caller.press(NUMBER)
    caller.menu.opened()
    assert caller.menu.state is State.DONE


def test_who_called_a_meetings_own_number_is_asked_for_its_pin_alone() -> None:
    caller = Caller(NUMBER)
    assert caller.done == [Ask(NUMBER, None)]
    assert prompts(caller.refused()) == [Prompt.PIN, Prompt.OTHER_LANGUAGE]
    assert asked(caller.press(PIN + "#")) == Ask(NUMBER, PIN)
    assert prompts(caller.refused()) == [Prompt.WRONG, Prompt.PIN, Prompt.OTHER_LANGUAGE]


def test_a_wrong_number_and_a_wrong_pin_sound_the_same() -> None:
    for number in (NUMBER, "000000000"):
        caller = Caller()
        caller.press(number)
        caller.refused()
        caller.press("999999#")
        assert prompts(caller.refused()) == [Prompt.WRONG, *NUMBER_ASKED]


def test_after_three_tries_it_is_over() -> None:
    caller = Caller()
    for attempt in range(TRIES):
        caller.press(NUMBER)
        caller.refused()
        caller.press("999999#")
        done = caller.refused()
        assert isinstance(done[-1], HangUp) == (attempt == TRIES - 1)
    assert prompts(done) == [Prompt.WRONG, Prompt.LOOK_AGAIN, Prompt.GOODBYE]
    assert caller.press("1") == []


def test_who_presses_nothing_is_asked_twice_more_and_then_left() -> None:
    caller = Caller()
    assert prompts(caller.wait(8)) == NUMBER_ASKED
    assert prompts(caller.wait(8)) == NUMBER_ASKED
    assert caller.wait(8) == [HangUp((Prompt.GOODBYE,), "sv")]
    assert caller.menu.next_timer() is None


def test_the_time_for_a_key_runs_from_the_end_of_what_is_said() -> None:
    caller = Caller()
    caller.now = 7.0
    caller.menu.said(caller.now)
    assert caller.wait(7.9) == []
    assert prompts(caller.wait(0.2)) == NUMBER_ASKED


def test_who_stops_pressing_has_pressed_all() -> None:
    caller = Caller()
    caller.press("1234")
    assert asked(caller.wait(4)) == Ask("1234", None)


def test_a_hash_alone_says_again_what_is_asked() -> None:
    caller = Caller()
    assert prompts(caller.press("#")) == NUMBER_ASKED


def test_a_star_is_for_the_other_language_and_then_for_beginning_again() -> None:
    caller = Caller()
    (said,) = caller.press("*")
    assert said == Say(tuple(NUMBER_ASKED), "en")
    caller.press("48*")
    assert asked(caller.press(NUMBER)) == Ask(NUMBER, None)


@pytest.mark.parametrize("called", ["", NUMBER])
def test_a_star_is_for_the_other_language_where_a_pin_is_asked_for_too_and_is_no_part_of_it(called: str) -> None:
    caller = Caller(called)
    if not called:
        caller.press(NUMBER)
    caller.refused()
    (said,) = caller.press("*")
    assert isinstance(said, Say)
    assert (said.language, said.prompts[0]) == ("en", Prompt.PIN)
    caller.press("13*")
    assert asked(caller.press(PIN + "#")) == Ask(NUMBER, PIN)


def test_the_first_key_ends_what_is_being_said() -> None:
    caller = Caller()
    assert caller.press("4") == [Say((), "sv")]
    assert caller.press("8") == []


@pytest.mark.parametrize("before", ["", PIN[:2], PIN, PIN + "#"])
def test_what_is_pressed_before_a_called_meetings_door_has_answered_is_of_its_pin(before: str) -> None:
    menu = Menu("sv", NUMBER)
    assert [action for key in before for action in menu.key(key, 0)] == []  # the call's ACK is on its way
    assert asked(menu.begin(0)) == Ask(NUMBER, None)
    done = [*menu.not_opened(0), *(action for key in (PIN + "#")[len(before) :] for action in menu.key(key, 0))]
    assert [action for action in done if isinstance(action, Ask)] == [Ask(NUMBER, PIN)]


def test_keys_that_are_pressed_while_the_door_is_asked_are_let_go() -> None:
    caller = Caller()
    caller.press(NUMBER)
    assert caller.press("123#") == []
    caller.refused()
    assert asked(caller.press(PIN + "#")) == Ask(NUMBER, PIN)


def test_neither_number_nor_pin_is_shown_where_an_action_is_printed() -> None:
    assert repr(Ask(NUMBER, PIN)) == "Ask()"


@pytest.mark.parametrize("state", [state for state in State if state is not State.DONE])
def test_every_state_has_a_way_out(state: State) -> None:
    assert State.DONE in TRANSITIONS[state].values()
