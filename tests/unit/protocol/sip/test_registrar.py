"""Registrations: what is bound, for how long, in which order, by which flow, and under which names (RFC 3261, 10)."""

from typing import Any

import pytest
from sip_messages import request as message

from mcu.errors import McuError, Refused
from mcu.protocol.sip.dialog import OutOfOrder
from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.gruu import Gruus
from mcu.protocol.sip.message import Request
from mcu.protocol.sip.registrar import CONTACTS_MAX, LONGEST_S, Binding, NoOutbound, Registrar, TooBrief
from mcu.protocol.sip.uri import SipUri, parse_uri
from mcu.protocol.sip.values import parse_address

NOW = 1_800_000_000.0
DEVICE = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'
OTHER = '+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e129>"'


def registrar() -> Registrar[str]:
    return Registrar(Gruus("mcu.example", b"secret"))


def register(contact: str = "<sip:anna@192.0.2.7>", cseq: int = 1, **fields: str) -> Request:
    headers = {"Contact": contact, "Call_ID": "c1", **fields}
    if not contact:
        del headers["Contact"]
        made = message("REGISTER", cseq=cseq, **headers)
        return made.with_(made.headers.without("Contact"))
    return message("REGISTER", cseq=cseq, **headers)


def uris(bound: tuple[Binding[str], ...]) -> list[str]:
    return [str(one.contact.uri) for one in bound]


def test_what_is_registered_is_bound_until_it_expires() -> None:
    known = registrar()
    assert known.register("anna", register(Expires="600"), "a", NOW) == [
        ("Contact", "<sip:anna@192.0.2.7>;expires=600")
    ]
    assert uris(known.bindings("anna", NOW + 599)) == ["sip:anna@192.0.2.7"]
    assert known.bindings("anna", NOW + 600) == ()
    assert known.bindings("bo", NOW) == ()


def test_a_contacts_own_expires_goes_before_the_messages_and_no_expires_is_an_hour() -> None:
    known = registrar()
    said = known.register("anna", register("<sip:a@h>;expires=120, <sip:b@h>", Expires="90"), "a", NOW)
    assert [value.rpartition("=")[2] for _, value in said] == ["90", "120"]
    assert known.register("bo", register("<sip:a@h>"), "a", NOW)[0][1].endswith("expires=3600")


@pytest.mark.parametrize("seconds", ["1", "59"])
def test_a_registration_that_is_too_brief_is_refused_whole(seconds: str) -> None:
    known = registrar()
    with pytest.raises(TooBrief):
        known.register("anna", register(f"<sip:a@h>, <sip:b@h>;expires={seconds}"), "a", NOW)
    assert known.bindings("anna", NOW) == ()
    assert known.register("anna", register("<sip:a@h>", Expires="99999"), "a", NOW)[0][1].endswith("expires=3600")


def test_an_older_request_of_the_same_device_undoes_nothing() -> None:
    known = registrar()
    known.register("anna", register(cseq=5), "a", NOW)
    with pytest.raises(OutOfOrder):
        known.register("anna", register(cseq=4, Expires="0"), "a", NOW)
    with pytest.raises(OutOfOrder):
        known.register("anna", register("*", cseq=5, Expires="0"), "a", NOW)
    assert len(known.bindings("anna", NOW)) == 1
    known.register("anna", register(cseq=1, Call_ID="after a restart"), "a", NOW)
    assert len(known.bindings("anna", NOW)) == 1


def test_star_ends_all_and_only_with_expires_0() -> None:
    known = registrar()
    known.register("anna", register("<sip:a@h>, <sip:b@h>"), "a", NOW)
    for wrong in (register("*", cseq=2), register("*, <sip:a@h>", cseq=2, Expires="0")):
        with pytest.raises(McuError):
            known.register("anna", wrong, "a", NOW)
    assert len(known.bindings("anna", NOW)) == 2
    assert known.register("anna", register("*", cseq=2, Expires="0"), "a", NOW) == []
    assert known.bindings("anna", NOW) == ()


def test_one_contact_of_several_ends_and_without_a_contact_all_are_told() -> None:
    known = registrar()
    known.register("anna", register("<sip:a@h>, <sip:b@h>;expires=60"), "a", NOW)
    said = known.register("anna", register("", cseq=2), "a", NOW + 10)
    assert said == [("Contact", "<sip:b@h>;expires=50"), ("Contact", "<sip:a@h>;expires=3590")]
    known.register("anna", register("<sip:a@h>;expires=0", cseq=3), "a", NOW + 10)
    assert uris(known.bindings("anna", NOW + 10)) == ["sip:b@h"]


def test_an_endpoint_has_a_bounded_number_of_contacts() -> None:
    known = registrar()
    for i in range(CONTACTS_MAX):
        known.register("anna", register(f"<sip:anna@192.0.2.{i}>", Call_ID=str(i)), "a", NOW)
    with pytest.raises(Refused):
        known.register("anna", register("<sip:anna@192.0.2.99>", Call_ID="x"), "a", NOW)
    assert len(known.bindings("anna", NOW)) == CONTACTS_MAX


def test_a_flow_is_told_by_device_and_number_and_not_by_its_address() -> None:
    known = registrar()
    said = known.register("anna", register(f"<sip:a@h>;{DEVICE};reg-id=1", Supported="path, outbound"), "one", NOW)
    assert ("Require", "outbound") in said
    assert any(name == "Flow-Timer" for name, _ in said)
    known.register("anna", register(f"<sip:a@i>;{DEVICE};reg-id=1", cseq=2, Supported="outbound"), "two", NOW)
    known.register("anna", register(f"<sip:a@i>;{DEVICE};reg-id=2", cseq=3, Supported="outbound"), "three", NOW)
    assert [one.flow for one in known.bindings("anna", NOW)] == ["three", "two"]
    known.lost("three")
    assert [one.flow for one in known.bindings("anna", NOW)] == ["two"]


def test_a_flow_through_a_proxy_that_keeps_none_is_refused() -> None:
    two = "SIP/2.0/UDP proxy.example;branch=z9hG4bKp, SIP/2.0/UDP phone.example;branch=z9hG4bKq"
    asked: dict[str, Any] = {"Supported": "path, outbound", "Via": two}
    with pytest.raises(NoOutbound):
        registrar().register("anna", register(f"<sip:a@h>;{DEVICE};reg-id=1", **asked), "a", NOW)
    through = register(f"<sip:a@h>;{DEVICE};reg-id=1", **asked, Path="<sip:token@edge.example;lr;ob>")
    known = registrar()
    assert ("Path", "<sip:token@edge.example;lr;ob>") in known.register("anna", through, "a", NOW)
    assert known.bindings("anna", NOW)[0].path == ("<sip:token@edge.example;lr;ob>",)


def gruus(known: Registrar[str], device: str, cseq: int, call_id: str = "c1") -> tuple[SipUri, SipUri]:
    """The public and the temporary one that its registration is told."""
    asked = register(f"<sip:{cseq}@h>;{device}", cseq=cseq, Supported="gruu", Call_ID=call_id)
    said = [parse_address(value).params for name, value in known.register("anna", asked, "a", NOW) if name == "Contact"]
    mine = next(params for params in said if (params["+sip.instance"] or "") in device)
    public, temporary = parse_uri(mine["pub-gruu"] or ""), parse_uri(mine["temp-gruu"] or "")
    assert isinstance(public, SipUri)
    assert isinstance(temporary, SipUri)
    return public, temporary


def test_a_public_gruu_leads_to_its_device_alone() -> None:
    known = registrar()
    public, _ = gruus(known, DEVICE, 1)
    other, _ = gruus(known, OTHER, 2)
    assert (public.user, public.host) == ("482915370", "mcu.example") or public.user == "anna"
    assert uris(known.device("anna", public, NOW)) == ["sip:1@h"]
    assert uris(known.device("anna", other, NOW)) == ["sip:2@h"]


def test_a_temporary_gruu_hides_whose_it_is_and_ends_with_the_registration() -> None:
    known = registrar()
    _, first = gruus(known, DEVICE, 1)
    _, second = gruus(known, DEVICE, 2)
    assert first != second
    assert "anna" not in str(first)
    for one in (first, second):
        assert known.hidden(one, NOW)[0] == "anna"
    changed = SipUri(first.host, (first.user or "")[:-1] + "A", params=first.params)
    assert known.hidden(changed, NOW) == ("", ()) or changed == first
    assert Registrar[str](Gruus("mcu.example", b"another")).hidden(first, NOW) == ("", ())
    known.register("anna", register("*", cseq=9, Expires="0"), "a", NOW)
    gruus(known, DEVICE, 10, call_id="c2")
    assert known.hidden(first, NOW) == ("", ())


def test_a_number_of_a_flow_without_a_device_is_none_and_a_registration_is_of_one_flow() -> None:
    """RFC 5626, section 6."""
    known = registrar()
    for host in ("one.example", "other.example"):
        known.register("anna", register(f"<sip:anna@{host}>;reg-id=1", Call_ID=host), host, NOW)
    assert len(known.bindings("anna", NOW)) == 2
    flows = ", ".join(f'<sip:anna@{n}.example>;reg-id={n};+sip.instance="<urn:uuid:1>"' for n in (1, 2))
    with pytest.raises(Malformed):
        known.register("anna", register(flows, Supported="outbound"), "flow", NOW)


@pytest.mark.parametrize("expires", ["280297596632815", "soon", '""'])
def test_a_time_that_means_nothing_is_as_none(expires: str) -> None:
    known = registrar()
    known.register("anna", register(f"<sip:anna@one.example>;expires={expires}"), "flow", NOW)
    (bound,) = known.bindings("anna", NOW)
    assert bound.granted_s == LONGEST_S
