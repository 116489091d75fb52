"""Asking for a whole picture by INFO (RFC 5168)."""

from dataclasses import replace

import pytest
from sip_messages import request

from mcu.protocol.sip.media_control import FAST_UPDATE, TYPE, asks

INFO = replace(request("INFO", Content_Type=f"{TYPE}; charset=utf-8"), body=FAST_UPDATE)


def test_what_we_send_asks() -> None:
    assert asks(INFO)


@pytest.mark.parametrize(
    "element", [b"<picture_fast_update>", b"< picture_fast_update />", b"<picture_fast_update\n/>"]
)
def test_the_element_is_found_however_it_is_written(element: bytes) -> None:
    assert asks(replace(INFO, body=b"<media_control>" + element))


@pytest.mark.parametrize("body", [b"", b"picture_fast_update", b"<picture_fast_updates/>", b"\xff" * 1000])
def test_what_does_not_say_so_does_not_ask(body: bytes) -> None:
    assert not asks(replace(INFO, body=body))


def test_keys_by_info_do_not_ask() -> None:
    assert not asks(replace(request("INFO", Content_Type="application/dtmf-relay"), body=FAST_UPDATE))
