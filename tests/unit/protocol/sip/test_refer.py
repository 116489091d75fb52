"""Where a REFER leads."""

import pytest
from sip_messages import request as message

from mcu.protocol.sip.grammar import Malformed
from mcu.protocol.sip.refer import parse_refer
from mcu.protocol.sip.uri import parse_uri


def test_a_refer_has_a_target_and_says_whether_another_call_gives_way_to_it() -> None:
    refer = parse_refer(message("REFER", Refer_To="<sip:482915370@mcu.example>"))
    assert (refer.target, refer.replaces, refer.notifies) == (parse_uri("sip:482915370@mcu.example"), None, True)
    assert not parse_refer(message("REFER", Refer_To="<sip:a@h>", Refer_Sub="false")).notifies
    attended = "<sip:482915370@mcu.example?Replaces=c%402%3Bto-tag%3Dours%3Bfrom-tag%3Dtheirs>"
    assert parse_refer(message("REFER", Refer_To=attended)).replaces == ("c@2", "ours", "theirs")


def test_a_refer_without_a_target_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse_refer(message("REFER"))
