"""An offer in the shape in which room systems of the field make them: with far more than we take.

Written from what is publicly known of them: two cameras' worth of lines, a floor for the screen, far end camera control
(H.224) and a control channel of the maker's own, keys with parameters, and codecs that nobody else has.
"""

import base64

import pytest

from mcu.protocol.sdp.description import Origin, parse
from mcu.protocol.sdp.exchange import Kind, Ours, Ports, answer
from mcu.protocol.sdp.keying import Encryption

KEY = base64.b64encode(bytes(range(30))).decode()
KEYS = (
    f"a=crypto:0 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^48\r\n"
    f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}|2^48 UNENCRYPTED_SRTCP\r\n"
    f"a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:{KEY}|2^48\r\n"
)
SOUND = (
    "m=audio 2334 {profile} 107 104 9 15 18 8 0 101\r\nb=TIAS:128000\r\n"
    "a=rtpmap:107 MP4A-LATM/90000\r\na=fmtp:107 profile-level-id=24;object=23;bitrate=64000\r\n"
    "a=rtpmap:104 G7221/16000\r\na=fmtp:104 bitrate=32000\r\na=rtpmap:9 G722/8000\r\na=rtpmap:15 G728/8000\r\n"
    "a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=yes\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n"
    "{keys}a=sendrecv\r\n"
)
PICTURES = (
    "m=video {port} {profile} 97 126 96 34 31\r\nb=TIAS:4000000\r\n"
    "a=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e016;packetization-mode=0;max-mbps=245000;max-fs=9000;"
    "max-cpb=200;max-br=5000;max-smbps=245000;max-fps=6000;max-rcmd-nalu-size=3456000;sar-supported=16\r\n"
    "a=rtpmap:126 H264/90000\r\na=fmtp:126 packetization-mode=1;profile-level-id=42e016;max-mbps=245000;max-fs=9000\r\n"
    "a=rtpmap:96 H263-1998/90000\r\na=fmtp:96 custom=1024,768,4;custom=1280,720,3;cif=1;qcif=1\r\n"
    "a=rtpmap:34 H263/90000\r\na=rtpmap:31 H261/90000\r\n"
    "a=imageattr:97 recv [x=[640:16:1280],y=[360:16:720],par=[1.2-1.3]]\r\n"
    "a=rtcp-fb:* nack pli\r\na=rtcp-fb:* ccm fir\r\na=rtcp-fb:* ccm tmmbr\r\n"
    "{keys}a=sendrecv\r\na=content:{content}\r\na=label:{label}\r\na=answer:full\r\n"
)
FLOOR = "m=application 5070 UDP/BFCP *\r\na=floorctrl:c-s\r\na=confid:1\r\na=floorid:2 mstrm:12\r\na=userid:38\r\n"
CAMERA_CONTROL = "m=application 2340 {profile} 100\r\na=rtpmap:100 H224/4800\r\n{keys}a=sendrecv\r\n"
OF_THE_MAKER = "m=application 2342 UDP/UDT/IX *\r\na=ixmap:0 ping\r\na=ixmap:2 xccp\r\n"


def offered(profile: str, keys: str) -> str:
    lines = (
        "v=0\r\no=room 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nb=AS:6000\r\nt=0 0\r\n",
        SOUND,
        PICTURES.replace("{port}", "2336").replace("{content}", "main").replace("{label}", "11"),
        FLOOR,
        PICTURES.replace("{port}", "2338").replace("{content}", "slides").replace("{label}", "12"),
        CAMERA_CONTROL,
        OF_THE_MAKER,
    )
    return "".join(line.replace("{profile}", profile).replace("{keys}", keys) for line in lines)


@pytest.mark.parametrize(
    ("encryption", "profile", "keys"),
    [(Encryption.REQUIRED, "RTP/SAVP", KEYS), (Encryption.OFFERED, "RTP/AVP", "")],
    ids=["encrypted", "in the clear"],
)
def test_a_room_system_has_its_camera_and_its_screen_and_what_we_do_not_take_is_refused(
    encryption: Encryption, profile: str, keys: str
) -> None:
    us = Ours(
        address="198.51.100.2",
        ports={kind: Ports(30_000 + 2 * number, 30_001 + 2 * number) for number, kind in enumerate(Kind)},
        encryption=encryption,
        fingerprint="",
        origin=Origin(5, 1, "198.51.100.2"),
    )
    description, streams = answer(parse(offered(profile, keys)), us)
    taken = {stream.kind: stream for stream in streams}
    assert {kind: (one.index, one.format.name, one.format.payload_type) for kind, one in taken.items()} == {
        Kind.AUDIO: (0, "g722", 9),
        Kind.MAIN: (1, "h264", 126),
        Kind.SLIDES: (3, "h264", 126),
    }
    assert all(one.keying.encrypts == bool(keys) for one in streams)
    assert taken[Kind.MAIN].feedback == {"nack pli", "ccm fir", "ccm tmmbr"}
    assert taken[Kind.MAIN].bits_per_second == 4_000_000
    assert taken[Kind.MAIN].limits.macroblocks == 9000
    assert [(media.kind, bool(media.port)) for media in description.media] == [
        *(("audio", True), ("video", True), ("application", False)),  # of the floor its own answer says more
        *(("video", True), ("application", False), ("application", False)),
    ]
    assert "UNENCRYPTED_SRTCP" not in str(description)
    assert "SHA1_32" not in str(description)
