"""Digest authentication both ways (RFC 2617, section 3.5; RFC 7616, section 3.9.1; RFC 8760)."""

from dataclasses import replace

import pytest

from mcu.protocol.sip.digest import ALGORITHMS, Answered, Answerer, Challenger, ha1, response_to
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.values import Credentials, parse_credentials

URI = "sip:mcu.example"
HTTP = {"username": "Mufasa", "realm": "testrealm@host.com", "uri": "/dir/index.html", "nc": "00000001", "qop": "auth"}
AUTH = {
    "username": "Mufasa",
    "realm": "http-auth@example.org",
    "uri": "/dir/index.html",
    "nc": "00000001",
    "qop": "auth",
}
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"


@pytest.mark.parametrize(
    ("params", "password", "expected"),
    [
        (
            HTTP | {"nonce": "dcd98b7102dd2f0e8b11d0f600bfb0c093", "cnonce": "0a4f113b"},
            "Circle Of Life",
            "6629fae49393a05397450978507c4ef1",
        ),
        (
            AUTH | {"nonce": NONCE, "cnonce": CNONCE, "algorithm": "MD5"},
            "Circle of Life",
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
        (
            AUTH | {"nonce": NONCE, "cnonce": CNONCE, "algorithm": "SHA-256"},
            "Circle of Life",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
    ],
    ids=["RFC 2617", "RFC 7616 by MD5", "RFC 7616 by SHA-256"],
)
def test_the_digests_of_the_rfcs_come_out(params: dict[str, str], password: str, expected: str) -> None:
    known = ha1(params.get("algorithm", "MD5"), params["username"], params["realm"], password)
    assert response_to(params, known, "GET", params["uri"]) == expected


def asked(challenger: Challenger, now: float, only: str | None = None, *, stale: bool = False) -> list[Credentials]:
    challenges = [parse_credentials(text) for text in challenger.challenges(now, stale=stale)]
    return [challenge for challenge in challenges if only is None or challenge.params["algorithm"] == only]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_who_knows_the_password_is_let_in_and_who_does_not_is_not(algorithm: str) -> None:
    challenger, answerer = Challenger("mcu.example"), Answerer("rum2", 'pass"word')
    assert answerer.challenged(asked(challenger, 1000, algorithm))
    given = parse_credentials(answerer.answer("REGISTER", URI) or "")
    answered = challenger.read([given])
    assert answered is not None
    assert (answered.user, answered.algorithm, answered.count) == ("rum2", algorithm, 1)
    assert challenger.fresh(answered, 1001)
    assert challenger.holds(given, ha1(algorithm, "rum2", "mcu.example", 'pass"word'), "REGISTER")
    assert not challenger.holds(given, ha1(algorithm, "rum2", "mcu.example", "password"), "REGISTER")
    assert not challenger.holds(given, ha1(algorithm, "rum2", "mcu.example", 'pass"word'), "INVITE")


def test_the_strongest_that_is_offered_is_answered() -> None:
    answerer = Answerer("rum2", "secret")
    answerer.challenged(asked(Challenger("mcu.example"), 0))
    assert parse_credentials(answerer.answer("INVITE", URI) or "").params["algorithm"] == "SHA-256"


def test_a_nonce_is_good_for_a_while_and_only_if_we_made_it() -> None:
    challenger, answerer = Challenger("mcu.example", lives_s=300), Answerer("rum2", "secret")
    answerer.challenged(asked(challenger, 1000))
    answered = challenger.read([parse_credentials(answerer.answer("INVITE", URI) or "")])
    assert answered is not None
    assert challenger.fresh(answered, 1300)
    assert not challenger.fresh(answered, 1301)
    assert not challenger.fresh(answered, 999)
    assert not Challenger("mcu.example").fresh(answered, 1000)
    for nonce in ("", ".", "zz.00", answered.nonce[:-1] + "!"):
        assert not challenger.fresh(replace(answered, nonce=nonce), 1000)


def test_a_nonce_with_letters_that_ours_never_have_is_none_of_ours() -> None:
    challenger = Challenger("mcu.example")
    made, _, _ = parse_credentials(challenger.challenges(100)[0]).params["nonce"].partition(".")
    for nonce in (f"{made}.\xe5\udce5", f"{made}\udce5.00"):
        assert not challenger.fresh(Answered("anna", "MD5", nonce, 1), 100)


def test_each_use_of_a_nonce_has_a_number_of_its_own() -> None:
    answerer = Answerer("rum2", "secret")
    answerer.challenged(asked(Challenger("mcu.example"), 0))
    counts = [parse_credentials(answerer.answer("INVITE", URI) or "").params["nc"] for _ in range(3)]
    assert counts == ["00000001", "00000002", "00000003"]


def test_a_password_that_was_refused_is_not_tried_again_but_a_stale_nonce_is_renewed() -> None:
    challenger, answerer = Challenger("mcu.example"), Answerer("rum2", "wrong")
    assert answerer.challenged(asked(challenger, 0))
    answerer.answer("REGISTER", URI)
    assert not answerer.challenged(asked(challenger, 1))
    assert answerer.challenged(asked(challenger, 1, stale=True))


def test_a_challenge_that_cannot_be_answered_is_not_tried() -> None:
    answerer = Answerer("rum2", "secret")
    assert not answerer.challenged(
        [parse_credentials("Bearer"), parse_credentials('Digest realm="x", nonce="1", algorithm=SHA-512-256')]
    )
    assert answerer.answer("REGISTER", URI) is None


@pytest.mark.parametrize("text", ["NoOneKnowsThisScheme opaque-data=here", 'Digest realm="other", nonce="1"'])
def test_credentials_of_another_scheme_or_realm_are_not_for_us(text: str) -> None:
    assert Challenger("mcu.example").read([parse_credentials(text)]) is None


@pytest.mark.parametrize(
    "extra",
    [
        "",
        'username="a", nonce="1", uri="sip:x"',
        'username="a", nonce="1", uri="x", response="0", algorithm=MD4',
        'username="a", nonce="1", uri="x", response="0", nc=1',
    ],
    ids=["nothing", "no response", "an algorithm that was not offered", "a count that is none"],
)
def test_credentials_are_refused_that_have(extra: str) -> None:
    text = 'Digest realm="mcu.example"' + (f", {extra}" if extra else "")
    with pytest.raises(Malformed):
        Challenger("mcu.example").read([parse_credentials(text)])
