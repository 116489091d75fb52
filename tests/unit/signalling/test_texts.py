"""The words people read."""

import string

import pytest

from mcu import errors
from mcu.conference.policy import HostsOnly, ThatPersonOnly
from mcu.conference.roster import Language
from mcu.media.messages import NoticeKind
from mcu.signalling.webrtc.texts import TEXTS, notice_text, refusal_text

K = NoticeKind


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things() -> None:
    swedish, english = TEXTS["sv"], TEXTS["en"]
    assert set(swedish) == set(english)
    assert {key: fields(text) for key, text in swedish.items()} == {key: fields(text) for key, text in english.items()}
    assert len(swedish["numbers"].split()) == len(english["numbers"].split())


@pytest.mark.parametrize(
    ("language", "kind", "names", "text"),
    [
        ("sv", K.JOINED, ["Anna"], "Anna gick med"),
        ("en", K.JOINED, ["Anna"], "Anna joined"),
        ("sv", K.LEFT, ["Anna", "Bo"], "Anna och Bo lämnade"),
        ("sv", K.LEFT, ["Anna", "Bo", "Cia"], "Anna och 2 till lämnade"),
        ("en", K.LEFT, ["Anna", "Bo", "Cia"], "Anna and 2 more left"),
        ("sv", K.RECONNECTED, ["Anna"], "Anna är tillbaka"),
        ("en", K.RECONNECTED, ["Anna"], "Anna is back"),
        ("en", K.RECONNECTED, ["Anna", "Bo"], "Anna and Bo are back"),
        ("sv", K.JOINED, [""], "Någon gick med"),
    ],
)
def test_a_notice_in_words(language: Language, kind: NoticeKind, names: list[str], text: str) -> None:
    assert notice_text(language, kind, names, {}) == text


def test_a_summary_says_how_many_of_each() -> None:
    missed = {K.LEFT: 1, K.JOINED: 2}
    assert notice_text("sv", K.MISSED, [], missed) == "Medan du var borta: två gick med, en lämnade"
    assert notice_text("en", K.MISSED, [], missed) == "While you were away: two joined, one left"
    assert notice_text("en", K.MISSED, [], {K.RECONNECTED: 40}) == "While you were away: 40 came back"


def test_a_name_is_never_taken_for_a_pattern() -> None:
    assert notice_text("sv", K.JOINED, ["{who}"], {}) == "{who} gick med"
    assert notice_text("sv", K.JOINED, ["{0}", "%s"], {}) == "{0} och %s gick med"


@pytest.mark.parametrize(
    "error",
    [
        errors.Refused,
        errors.NotFound,
        errors.Conflict,
        errors.MeetingFull,
        errors.Invalid,
        errors.TooMany,
        errors.Unavailable,
        HostsOnly,
        ThatPersonOnly,
    ],
)
def test_what_a_room_refuses_has_words_of_its_own(error: type[errors.McuError]) -> None:
    for language in TEXTS:
        assert refusal_text(language, error.code) != refusal_text(language, "internal")
