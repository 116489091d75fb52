"""Who sends a request: asked, believed once for each answer, and told the same whatever is wrong."""

import pytest
from sip_messages import request as message

from mcu.protocol.sip.authenticator import Authenticator, Challenged, WrongPassword
from mcu.protocol.sip.digest import ALGORITHMS, Answerer, Challenger, ha1
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.values import parse_credentials

REALM, PASSWORD = "mcu.example", "correct horse"
KNOWN = {"anna": {algorithm: ha1(algorithm, "anna", REALM, PASSWORD) for algorithm in ALGORITHMS}}


def authenticator() -> Authenticator:
    return Authenticator(Challenger(REALM), KNOWN.get)


def asked_of(known: Authenticator, request: Request, now: float = 1000) -> Challenged:
    with pytest.raises(Challenged) as raised:
        known.user(request, now)
    return raised.value


def with_answer(request: Request, answerer: Answerer, uri: str | None = None) -> Request:
    made = answerer.answer(request.method, uri or request.target)
    assert made is not None
    return request.with_(request.headers.with_("Authorization", made))


def challenged(known: Authenticator, user: str, password: str, algorithm: str = "SHA-256") -> Answerer:
    answerer = Answerer(user, password)
    values = [parse_credentials(value) for _, value in asked_of(known, message("REGISTER")).headers]
    assert answerer.challenged([one for one in values if one.params["algorithm"] == algorithm])
    return answerer


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_who_answers_rightly_is_believed_and_may_use_the_nonce_again(algorithm: str) -> None:
    known = authenticator()
    answerer = challenged(known, "anna", PASSWORD, algorithm)
    assert [known.user(with_answer(message("REGISTER"), answerer), 1001) for _ in range(3)] == ["anna"] * 3


def test_the_same_answer_again_is_stale_and_so_is_an_old_one() -> None:
    known = authenticator()
    answerer = challenged(known, "anna", PASSWORD)
    once = with_answer(message("REGISTER"), answerer)
    assert known.user(once, 1001) == "anna"
    assert all("stale=true" in value for _, value in asked_of(known, once, 1002).headers)
    late = asked_of(known, with_answer(message("REGISTER"), answerer), 9999)
    assert all("stale=true" in value for _, value in late.headers)


def test_an_answer_that_does_not_count_serves_once() -> None:
    known = authenticator()
    nonce = parse_credentials(asked_of(known, message("REGISTER")).headers[0][1]).params["nonce"]
    uri = message("REGISTER").target
    old = Answerer("anna", PASSWORD)
    old.challenged([parse_credentials(f'Digest realm="{REALM}", nonce="{nonce}", algorithm=MD5')])
    sent = with_answer(message("REGISTER"), old, uri)
    assert known.user(sent, 1001) == "anna"
    asked_of(known, with_answer(message("REGISTER"), old, uri), 1002)


def test_who_has_a_digest_of_one_algorithm_is_asked_for_no_other() -> None:
    known = Authenticator(Challenger(REALM), {"anna": {"MD5": KNOWN["anna"]["MD5"]}}.get)
    asked = [parse_credentials(value).params["algorithm"] for _, value in asked_of(known, message()).headers]
    assert asked == ["MD5"]
    stranger = message(From="<sip:nobody@mcu.example>;tag=x")
    assert len(asked_of(known, stranger).headers) == len(ALGORITHMS)


@pytest.mark.parametrize(("user", "password"), [("anna", "wrong"), ("nobody", PASSWORD)])
def test_an_unknown_user_and_a_wrong_password_are_told_alike(user: str, password: str) -> None:
    known = authenticator()
    with pytest.raises(WrongPassword):
        known.user(with_answer(message("REGISTER"), challenged(known, user, password)), 1001)


def test_an_answer_for_another_address_or_method_does_not_hold() -> None:
    known = authenticator()
    with pytest.raises(Malformed):
        known.user(with_answer(message("REGISTER"), challenged(known, "anna", PASSWORD), "sip:other.example"), 1001)
    credentials = with_answer(message("REGISTER"), challenged(known, "anna", PASSWORD)).headers.all("Authorization")
    invite = message("INVITE")
    with pytest.raises(WrongPassword):
        known.user(invite.with_(invite.headers.with_("Authorization", *credentials)), 1001)
