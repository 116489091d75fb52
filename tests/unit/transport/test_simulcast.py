"""Simulcast in SDP: what a browser offers is taken as RFC 8853 says, what cannot be kept is left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from offers import CHROMIUM, OURS

from mcu.media.transport import answer as sdp
from mcu.media.transport.simulcast import REPAIRED, RID, Layer, offered, sections

RIDS = ["a=rid:q send", "a=rid:h send", "a=rid:f send"]


def simulcast(*lines: str) -> str:
    """Chromium's offer with these lines in the camera's section."""
    return CHROMIUM.replace("a=mid:1\n", "".join(f"{line}\n" for line in ("a=mid:1", *lines)))


def names(*lines: str) -> str:
    return "".join(layer.rid for layer in offered(lines, 96))


def test_the_layers_of_an_offer_are_answered_as_received_with_the_extensions_that_name_them() -> None:
    session, agreed = sdp.agree(simulcast(*RIDS, "a=simulcast:send q;h;f"))
    camera, screen = agreed.video
    assert [layer.rid for layer in camera.layers] == ["q", "h", "f"]
    assert screen.layers == ()
    answer = sections(sdp.write(session, agreed, OURS))
    assert [line for line in answer[1] if "rid" in line or "simulcast" in line] == [
        "a=rid:q recv",
        "a=rid:h recv",
        "a=rid:f recv",
        "a=simulcast:recv q;h;f",
    ]
    assert {f"a=extmap:10 {RID}", f"a=extmap:11 {REPAIRED}"} <= {*answer[1]}
    assert not any("rid:" in line or "simulcast" in line for line in [*answer[0], *answer[2]])
    assert len(answer) == 3


@pytest.mark.parametrize(
    ("lines", "taken"),
    [
        ([*RIDS, "a=rid:x send", "a=simulcast:send q;h;f;x"], "qhf"),  # three at most
        ([*RIDS, "a=simulcast:recv q;h;f"], ""),
        ([*RIDS, "a=simulcast:recv q send h;f"], "hf"),
        ([*RIDS, "a=simulcast:send q,h;f"], "qf"),  # of alternatives the first
        ([*RIDS, "a=simulcast:send ~q,h;f"], "hf"),  # that is not paused
        ([*RIDS, "a=simulcast:send q;~h;f"], "qf"),
        ([*RIDS, "a=simulcast:send q"], ""),  # one is no simulcast
        ([*RIDS, "a=simulcast:send q;q"], ""),
        ([*RIDS, "a=simulcast:send q;unknown;f"], "qf"),
        ([*RIDS, "a=rid:q send", "a=simulcast:send q;h;f"], "hf"),  # a name that means two things
        ([*RIDS, "a=simulcast:send q;h", "a=simulcast:send h;f"], ""),
        ([*RIDS, "a=simulcast:send"], ""),
        ([*RIDS], ""),
        (["a=rid:q recv", "a=rid:h send", "a=rid:f send", "a=simulcast:send q;h;f"], "hf"),
        ([f"a=rid:{'x' * 17} send", *RIDS[:2], f"a=simulcast:send {'x' * 17};q;h"], "qh"),
        (["a=rid:ä send", *RIDS[:2], "a=simulcast:send ä;q;h"], "qh"),
    ],
)
def test_the_first_three_streams_are_taken_that_can_be(lines: list[str], taken: str) -> None:
    assert names(*lines) == taken


@pytest.mark.parametrize(
    ("restrictions", "answered"),
    [
        ("", ""),
        ("max-width=1280;max-height=720", "max-width=1280;max-height=720"),
        ("pt=95,96,97;max-fps=30", "pt=96;max-fps=30"),
        ("pt=95", None),
        ("depend=h", None),
        ("max-width=1280;colour=red", None),
    ],
)
def test_restrictions_are_kept_or_the_stream_is_left_out(restrictions: str, answered: str | None) -> None:
    layers = offered([f"a=rid:q send {restrictions}".rstrip(), *RIDS[1:], "a=simulcast:send q;h;f"], 96)
    rest = (Layer("h"), Layer("f"))
    assert layers == (rest if answered is None else (Layer("q", answered), *rest))


def test_without_the_extension_that_names_a_layer_there_is_no_simulcast() -> None:
    session, agreed = sdp.agree(simulcast(*RIDS, "a=simulcast:send q;h;f").replace(RID, "another"))
    assert agreed.video[0].layers == ()
    assert "simulcast" not in sdp.write(session, agreed, OURS)


def test_a_browser_that_only_receives_sends_no_layers() -> None:
    offer = simulcast(*RIDS, "a=simulcast:send q;h;f").replace("a=sendrecv", "a=recvonly")
    assert sdp.agree(offer)[1].video[0].layers == ()


@given(st.lists(st.text("a=rid:simulcast send;,~=qhf1 pt-", max_size=40), max_size=6), st.text(max_size=60))
def test_whatever_is_offered_what_is_taken_was_named_once_and_is_two_or_three(parts: list[str], tail: str) -> None:
    section = [*RIDS, *parts, f"a=simulcast:send {tail}"]
    layers = offered(section, 96)
    assert len(layers) in (0, 2, 3)
    assert len({layer.rid for layer in layers}) == len(layers)
    for layer in layers:
        assert sum(line.startswith(f"a=rid:{layer.rid} send") for line in section) >= 1
