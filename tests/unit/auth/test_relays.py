"""Credentials for relays: made as coturn takes them, for a time; or those that are set; none where no relay is."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

from set_clock import SetClock

from mcu.auth.relays import Relay, Relays

URLS = ("turn:turn.example?transport=udp", "turns:turn.example:443?transport=tcp")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def test_made_credentials_end_and_are_another_word_each_time() -> None:
    relays = Relays(URLS, SetClock(NOON), secret="shared", ttl_s=3600)
    (one,), (other,) = relays.offered(), relays.offered()
    until, _, word = one.username.partition(":")
    assert int(until) == int(NOON.timestamp()) + 3600
    assert len(word) == 16
    assert one.username != other.username
    assert base64.b64decode(one.credential) == hmac.digest(b"shared", one.username.encode(), hashlib.sha1)
    assert one.urls == URLS


def test_a_check_is_given_credentials_for_a_shorter_time() -> None:
    (one,) = Relays(URLS, SetClock(NOON), secret="shared", ttl_s=3600).offered(300)
    assert int(one.username.partition(":")[0]) == int(NOON.timestamp()) + 300


def test_fixed_credentials_are_offered_as_they_are_and_without_urls_nothing_is() -> None:
    assert Relays(URLS, SetClock(NOON), username="mcu", credential="word").offered() == [Relay(URLS, "mcu", "word")]
    assert Relays((), SetClock(NOON)).offered() == []


def test_credentials_that_end_are_renewed_when_half_their_time_is_over_and_no_others() -> None:
    assert Relays(URLS, SetClock(NOON), secret="shared", ttl_s=3600).renew_s == 1800
    assert Relays(URLS, SetClock(NOON), username="mcu", credential="word").renew_s is None
    assert Relays((), SetClock(NOON)).renew_s is None


def test_a_password_is_in_no_representation() -> None:
    assert "word" not in repr(Relay(URLS, "mcu", "word"))
