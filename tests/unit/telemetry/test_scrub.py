"""The scrubber: what may not leave the process, and what may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcu.telemetry.scrub import REMOVED, scrub, scrub_text

JWT = "eyJhbGciOiJFZERTQSJ9.eyJsZWciOiJsZWdfMDEifQ.c2lnbmF0dXJlLW9mLWl0LWFsbA"

PRIVATE = [
    JWT,
    "46701234567",
    "+46 70-123 45 67",
    "+46701234567",
    "070-123 45 67",
    "08-123 456 78",
    "19121212-1212",
    "121212-1212",
    "482915370",
    "483920",
]


@pytest.mark.parametrize("canary", PRIVATE)
@pytest.mark.parametrize(
    "around", ["{}", "said {} to us", "({}),", "value='{}'", "pin={}&x", "Bearer {}", "/j/{} failed"]
)
def test_what_looks_private_is_removed_from_any_text(canary: str, around: str) -> None:
    assert canary not in scrub_text(around.format(canary))


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Authorization: Bearer abcDEF123-x", "abcDEF123-x"),
        ("Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ("postgresql+asyncpg://mcu:hunter2@db/mcu", "hunter2"),
        ("GET https://meet.example/j/1#t=opaque-token", "opaque-token"),
        ("/api/v1/meetings?external_id=anna", "anna"),
        ("pin: 4711 was wrong", "4711"),
        ("PIN-kod 4711", "4711"),
    ],
)
def test_what_stands_where_secrets_stand_is_removed(text: str, gone: str) -> None:
    assert gone not in scrub_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "listening on 127.0.0.1:8080",
        "took 0.123456 s",
        "leg_0199b1f2a5d07c3e8f1a2b3c4d5e6f70 gone",
        "mcu/media/room.py:120",
        "192.0.2.1:50432",
        "pid 31337",
        "mcu.media.worker",
        "fe80::1ff:fe23:4567:890a",
    ],
)
def test_what_operators_need_is_left_as_it_is(text: str) -> None:
    assert scrub_text(text) == text


@pytest.mark.parametrize(
    "key",
    [
        "pin",
        "guest_pin",
        "Host-PIN",
        "name",
        "display_name",
        "phone",
        "token",
        "session_token",
        "Authorization",
        "title",
    ],
)
def test_what_stands_under_a_private_key_is_removed_at_any_depth(key: str) -> None:
    assert scrub({"a": [{"b": {key: "Anna"}}]}) == {"a": [{"b": {key: REMOVED}}]}


def test_an_object_is_told_by_its_type_alone() -> None:
    class Person:
        def __repr__(self) -> str:
            return "Anna"

    assert "Anna" not in str(scrub({"who": Person()}))


nested = st.recursive(
    st.sampled_from([*PRIVATE, "plain"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(PRIVATE), inner),
)


@given(nested)
def test_nothing_private_survives_in_any_structure(value: object) -> None:
    assert not [canary for canary in PRIVATE if canary in str(scrub(value))]


def test_what_is_nested_without_end_is_cut() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert REMOVED in str(scrub(endless))
