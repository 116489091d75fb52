"""Keys of two sides that have none in common: each is told what it was told before, and never the other's."""

import pytest

from mcu.errors import NotAcceptable
from mcu.protocol.sdp import crypto
from mcu.protocol.sdp.crypto import Crypto
from mcu.protocol.sdp.description import Attribute, Description, Media, Origin
from mcu.protocol.sdp.opened import LineKeys, OpenedKeys
from mcu.protocol.sdp.sides import Lines

CM, GCM = "AES_CM_128_HMAC_SHA1_80", "AEAD_AES_256_GCM"
BOS, TO_BO, CILLAS, TO_CILLA = (crypto.made(1, suite) for suite in (CM, CM, GCM, GCM))


def said(*lines: tuple[str, tuple[Crypto, ...]]) -> Description:
    media = (
        Media(
            kind=kind,
            port=4000,
            protocol="RTP/SAVP",
            formats=("0",),
            attributes=(*(Attribute("crypto", str(key)) for key in keys), Attribute("ssrc", "7 cname:me")),
        )
        for kind, keys in lines
    )
    return Description(origin=Origin(1, 1, "192.0.2.1"), media=tuple(media))


def tagged(key: Crypto, tag: int) -> Crypto:
    return Crypto(tag, key.suite, key.key)


def keys_in(told: Description, line: int = 0) -> list[Crypto]:
    return [key for value in told.media[line].values("crypto") if (key := crypto.parse(value)) is not None]


def two(*, bos_lines: tuple[tuple[str, tuple[Crypto, ...]], ...] = (("audio", (BOS,)),)) -> OpenedKeys:
    """Bo has had a call with Anna, and Cilla has another."""
    words = said(*bos_lines), said(("audio", (CILLAS,)))
    told = said(*((kind, (TO_BO,)) for kind, _ in bos_lines)), said(("audio", (TO_CILLA,)))
    return OpenedKeys(Lines(words), words, told)


def test_each_is_told_the_key_that_it_was_told_before_by_the_tag_that_it_gives() -> None:
    keys = two()
    offer = keys.passed_on(0, said(("audio", (tagged(BOS, 5), crypto.made(6, GCM)))))
    assert keys_in(offer) == [TO_CILLA]
    answer = keys.passed_on(1, said(("audio", (CILLAS,))))
    assert keys_in(answer) == [tagged(TO_BO, 5)]
    assert {(one.side, one.line, one.keys.ours, one.keys.theirs) for one in keys.agreed()} == {
        (0, 0, TO_BO.key, BOS.key),
        (1, 0, TO_CILLA.key, CILLAS.key),
    }
    assert not offer.media[0].has("ssrc")


def test_what_one_encrypts_with_from_now_on_changes_nothing_of_what_it_is_told() -> None:
    keys = two()
    renewed = crypto.made(1, CM)
    keys.passed_on(0, said(("audio", (renewed,))))
    assert keys_in(keys.passed_on(1, said(("audio", (CILLAS,))))) == [TO_BO]
    assert [one.keys.theirs for one in keys.agreed() if one.side == 0] == [renewed.key]


def test_who_keeps_a_key_is_told_from_who_renews_it_and_who_has_none() -> None:
    keys = two()
    assert keys.keeps(0, said(("audio", (tagged(BOS, 9),))))
    assert not keys.keeps(0, said(("audio", (crypto.made(1, CM),))))
    assert not keys.keeps(0, said(("audio", ())))
    anew = OpenedKeys(Lines((None, said(("audio", (CILLAS,))))), (None, said(("audio", (CILLAS,)))), (None, None))
    assert (anew.renewable(0), anew.renewable(1)) == (False, True)


def test_a_line_or_a_side_that_is_new_has_keys_of_its_own() -> None:
    keys = two()
    offered = keys_in(keys.passed_on(0, said(("audio", (BOS,)), ("video", (BOS,)))), 1)
    assert [key.suite for key in offered] == list(crypto.SUITES)
    answered = crypto.made(4, CM)
    told = keys.passed_on(1, said(("audio", (CILLAS,)), ("video", (answered,))))
    fresh = keys_in(told, 1)
    assert [(one.tag, one.suite) for one in fresh] == [(BOS.tag, BOS.suite)]
    assert fresh[0].key not in {BOS.key, TO_BO.key, answered.key, TO_CILLA.key}
    of_video = [one for one in keys.agreed() if one.line == 1]
    assert {(one.side, one.keys.ours, one.keys.theirs) for one in of_video} == {
        (0, fresh[0].key, BOS.key),
        (1, offered[3].key, answered.key),
    }
    assert isinstance(of_video[0], LineKeys)


def test_lines_are_those_of_who_is_called() -> None:
    keys = two(bos_lines=(("video", (crypto.made(1, CM),)), ("audio", (BOS,))))
    keys.passed_on(0, said(("audio", (BOS,))))
    keys.passed_on(1, said(("audio", (CILLAS,))))
    assert {(one.side, one.line) for one in keys.agreed()} == {(0, 0), (1, 0)}


def test_a_line_in_the_clear_or_with_keys_by_dtls_is_not_opened() -> None:
    with pytest.raises(NotAcceptable):
        two().passed_on(0, said(("audio", ())))
