"""Two calls that are made one: lines and versions as each side has known them."""

from mcu.protocol.sdp.description import Description, Media, Origin, parse
from mcu.protocol.sdp.sides import Lines, Versions, silenced


def said(*kinds: str, session: int = 1, port: int = 4000) -> Description:
    media = (Media(kind=kind, port=port + 2 * at, protocol="RTP/AVP", formats=("0",)) for at, kind in enumerate(kinds))
    return Description(origin=Origin(session, 1, "192.0.2.1"), media=tuple(media))


def shown(told: Description) -> list[tuple[str, int]]:
    return [(one.kind, one.port) for one in told.media]


def test_each_line_keeps_the_place_that_the_other_side_knows_it_in_and_one_that_is_missing_is_refused() -> None:
    lines = Lines((said("audio"), said("video", "audio")))
    assert shown(lines.across(0, said("audio", port=5000))) == [("video", 0), ("audio", 5000)]
    assert shown(lines.across(1, said("video", "audio", port=6000))) == [("audio", 6002), ("video", 6000)]


def test_a_line_that_is_new_is_new_at_the_other_side_too_and_its_answer_comes_back_in_place() -> None:
    lines = Lines((said("audio", "video"), said("audio")))
    assert shown(lines.across(0, said("audio", "video", port=5000))) == [("audio", 5000), ("video", 5002)]
    assert shown(lines.across(1, said("audio", "video", port=6000))) == [("audio", 6000), ("video", 6002)]


def test_who_has_said_nothing_yet_begins_with_the_lines_that_the_other_has() -> None:
    lines = Lines((None, said("video", "audio")))
    assert shown(lines.across(0, said("audio", port=5000))) == [("video", 0), ("audio", 5000)]
    assert shown(lines.across(1, said("video", "audio", port=6000)))[0] == ("audio", 6002)


def test_without_a_past_lines_are_as_they_are_said() -> None:
    lines = Lines()
    assert shown(lines.across(0, said("audio", "video"))) == [("audio", 4000), ("video", 4002)]
    assert shown(lines.across(1, said("audio", "video", port=6000))) == [("audio", 6000), ("video", 6002)]


def test_a_session_goes_on_with_its_origin_and_a_version_more_only_where_something_is_new() -> None:
    versions = Versions((said("audio", session=7), None))
    same = versions.next(0, said("audio", session=9))
    moved = versions.next(0, said("audio", session=9, port=5000))
    assert [(one.origin.session, one.origin.version) for one in (same, moved)] == [(7, 1), (7, 2)]
    assert versions.next(1, said("audio", session=9)).origin.session == 9


def test_a_session_is_silenced_on_every_line_and_is_a_version_further() -> None:
    said = parse(
        "v=0\r\no=- 7 3 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
        "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\nm=video 4002 RTP/AVP 99\r\n"
    )
    quiet = silenced(said)
    assert [[one.name for one in line.attributes] for line in quiet.media] == [["inactive"], ["inactive"]]
    assert (quiet.origin.session, quiet.origin.version) == (7, 4)
