"""The table of a leg's life, all of it."""

import itertools

import pytest

from mcu.media.life import TRANSITIONS, LegEvent, LegState, after

EVERY = list(itertools.product(LegState, LegEvent))


@pytest.mark.parametrize(("state", "event"), EVERY)
def test_every_event_in_every_state_leads_where_the_table_says_or_nowhere(state: LegState, event: LegEvent) -> None:
    assert after(state, event) is TRANSITIONS[state].get(event, state)


def test_every_state_has_a_row() -> None:
    assert set(TRANSITIONS) == set(LegState)


def test_gone_is_the_end() -> None:
    assert TRANSITIONS[LegState.GONE] == {}


@pytest.mark.parametrize("state", [state for state in LegState if state is not LegState.GONE])
def test_a_leg_can_end_in_any_state(state: LegState) -> None:
    assert after(state, LegEvent.ENDED) is LegState.GONE


@pytest.mark.policy("S5.3-1")
def test_only_the_end_of_an_announcement_leads_into_the_room() -> None:
    ways = [(state, event) for state, event in EVERY if state is not LegState.IN_ROOM]
    assert [way for way in ways if after(*way) is LegState.IN_ROOM] == [(LegState.ANNOUNCING, LegEvent.ANNOUNCED)]


@pytest.mark.policy("S5.3-8")
def test_whoever_was_away_is_announced_before_it_is_in_the_room_again() -> None:
    assert after(LegState.RECONNECTING, LegEvent.RETURNED) is LegState.ANNOUNCING
    assert after(LegState.HELD, LegEvent.RESUMED) is LegState.ANNOUNCING
