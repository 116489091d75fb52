"""What an answer to a call means."""

import pytest
from sip_messages import request, response

from mcu.conference.roster import Stage
from mcu.signalling.sip.outcome import is_automatic, retry_after, stage_of


@pytest.mark.parametrize(
    ("status", "rang", "stage"),
    [
        (486, True, Stage.BUSY),
        (600, False, Stage.BUSY),
        (480, False, Stage.NO_ANSWER),
        (408, True, Stage.NO_ANSWER),
        (408, False, Stage.UNREACHABLE),
        (404, False, Stage.UNREACHABLE),
        (503, False, Stage.UNREACHABLE),
        (603, True, Stage.REFUSED),
        (403, False, Stage.REFUSED),
        (302, True, Stage.REFUSED),  # nobody is followed elsewhere
        (488, False, Stage.FAILED),
    ],
)
def test_a_refusal_is_told_in_the_words_of_a_telephone(status: int, rang: bool, stage: Stage) -> None:
    assert stage_of(status, rang=rang) is stage


@pytest.mark.parametrize("said", ["20", "20;duration=60", "20 (in a meeting)", " 20 "])
def test_retry_after_is_read_in_all_its_forms(said: str) -> None:
    assert retry_after(response(request(), 503, Retry_After=said)) == 20


@pytest.mark.parametrize("said", ["soon", "-1", ""])
def test_a_retry_after_that_is_none_says_nothing(said: str) -> None:
    assert retry_after(response(request(), 503, Retry_After=said)) is None
    assert retry_after(None) is None


@pytest.mark.policy("S5.3-9")
@pytest.mark.parametrize(
    "fields",
    [
        {"Answer_Mode": "Auto"},
        {"Priv_Answer_Mode": "auto;require"},
        {"Require": "answermode"},
        {"Alert_Info": "<http://phone.example>;info=alert-autoanswer;delay=0"},
        {"Call_Info": "<sip:phone.example>;answer-after=0"},
    ],
)
def test_a_call_that_says_so_was_answered_by_a_machine_however_long_it_took(fields: dict[str, str]) -> None:
    assert is_automatic(response(request(), 200, **fields), 30.0, 1.0)


@pytest.mark.policy("S5.3-9")
def test_who_is_faster_than_a_person_is_a_machine() -> None:
    assert is_automatic(response(request(), 200), 0.9, 1.0)
    assert not is_automatic(response(request(), 200, Answer_Mode="Manual"), 1.1, 1.0)
