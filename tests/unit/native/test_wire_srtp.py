"""SRTP against pylibsrtp, which has a libsrtp of its own, and where it has no such profile, against RFC 3711 by
`cryptography`."""

import hashlib
import hmac
import os
import struct
from pathlib import Path

import pylibsrtp
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st
from wire import Srtp

GCM_256, GCM_128, CM_256, CM_128 = range(4)
KEY_BYTES = {GCM_256: 44, GCM_128: 28, CM_256: 46, CM_128: 30}
THEIRS = {
    GCM_256: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    GCM_128: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
    CM_128: pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
}
profiles = pytest.mark.parametrize("profile", [GCM_256, GCM_128, CM_128])
SSRC = 0x5EED5EED


def session(profile: int, key: bytes, *, sending: bool) -> pylibsrtp.Session:
    kind = pylibsrtp.Policy.SSRC_ANY_OUTBOUND if sending else pylibsrtp.Policy.SSRC_ANY_INBOUND
    policy = pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=THEIRS[profile])
    policy.window_size = 1024
    return pylibsrtp.Session(policy)


def packet(index: int, payload: bytes = b"sound", ssrc: int = SSRC) -> bytes:
    return struct.pack("!BBHII", 0x80, 111, index % 65536, index * 960 % 2**32, ssrc) + payload


def report(ssrc: int = SSRC) -> bytes:
    return struct.pack("!BBHI", 0x80, 201, 1, ssrc)


@profiles
@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=300)), min_size=1, max_size=20), st.binary())
def test_pylibsrtp_opens_what_we_seal_and_we_what_it_seals(
    profile: int, sends: list[tuple[int, bytes]], seed: bytes
) -> None:
    key = hashlib.shake_128(seed).digest(KEY_BYTES[profile])
    ours, theirs = Srtp(profile, key, sending=True), session(profile, key, sending=False)
    we, they = Srtp(profile, key, sending=False), session(profile, key, sending=True)
    index = 60000
    for step, payload in sends:
        index += step + 1
        clear = packet(index, payload)
        assert theirs.unprotect(ours.protect(clear)) == clear
        assert we.unprotect(they.protect(clear)) == clear
        assert theirs.unprotect_rtcp(ours.protect_rtcp(report())) == report()
        assert we.unprotect_rtcp(they.protect_rtcp(report())) == report()


@profiles
def test_what_pylibsrtp_sealed_is_opened_once(profile: int) -> None:
    key = os.urandom(KEY_BYTES[profile])
    we, they = Srtp(profile, key, sending=False), session(profile, key, sending=True)
    sealed, sealed_report = they.protect(packet(1)), they.protect_rtcp(report())
    assert we.unprotect(sealed) == packet(1)
    assert we.unprotect_rtcp(sealed_report) == report()
    with pytest.raises(ValueError, match="refused"):
        we.unprotect(sealed)
    with pytest.raises(ValueError, match="refused"):
        we.unprotect_rtcp(sealed_report)


@profiles
def test_who_joins_late_finds_the_counter_that_pylibsrtp_is_at(profile: int) -> None:
    key = os.urandom(KEY_BYTES[profile])
    we, they = Srtp(profile, key, sending=False), session(profile, key, sending=True)
    last = 65000 + 3 * 65536
    for index in range(65000, last, 20000):  # sent to somebody else
        they.protect(packet(index))
    for index in range(last, last + 2 * 65536, 30000):
        assert we.unprotect(they.protect(packet(index))) == packet(index)


@profiles
def test_a_forged_packet_does_not_spoil_the_counter(profile: int) -> None:
    key = os.urandom(KEY_BYTES[profile])
    we, they = Srtp(profile, key, sending=False), session(profile, key, sending=True)
    assert we.unprotect(they.protect(packet(100))) == packet(100)
    for index in (200000, 2**40, 70000):
        with pytest.raises(ValueError, match="refused"):
            we.unprotect(packet(index, os.urandom(100)))
    assert we.unprotect(they.protect(packet(101))) == packet(101)
    assert we.unprotect(they.protect(packet(102))) == packet(102)


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_forged_packets_of_many_sources_leave_nothing_behind() -> None:
    we = Srtp(CM_128, os.urandom(30), sending=False)
    forged = [packet(70000, bytes(100), ssrc) for ssrc in range(1, 1501)]
    for round in range(2):  # the first warms the allocator
        before = resident()
        for ssrc, data in enumerate(forged, 1):
            with pytest.raises(ValueError, match="refused"):
                we.unprotect(data if round == 0 else packet(70001, bytes(100), ssrc))
        grown = resident() - before
    assert grown < 2 << 20


def derived(key: bytes, salt: bytes, label: int, size: int) -> bytes:
    """RFC 3711 section 4.3.1 and 4.3.3, RFC 6188 section 3: without a key derivation rate."""
    start = int.from_bytes(salt, "big") ^ label << 48
    stream = Cipher(algorithms.AES(key), modes.CTR((start << 16).to_bytes(16, "big"))).encryptor()
    return stream.update(bytes(size))


def sealed_by_the_rfc(key: bytes, clear: bytes, index: int) -> bytes:
    """RFC 3711 section 4.1.1 and 4.2.1 of a packet with a header of 12 bytes, AES counter mode and 80 bits of
    HMAC-SHA1."""
    master, salt = key[:-14], key[-14:]
    cipher_key, auth_key, session_salt = (
        derived(master, salt, 0, len(master)),
        derived(master, salt, 1, 20),
        derived(master, salt, 2, 14),
    )
    ssrc = int.from_bytes(clear[8:12], "big")
    start = int.from_bytes(session_salt, "big") << 16 ^ ssrc << 64 ^ index << 16
    stream = Cipher(algorithms.AES(cipher_key), modes.CTR(start.to_bytes(16, "big"))).encryptor()
    sealed = clear[:12] + stream.update(clear[12:])
    counter = (index >> 16).to_bytes(4, "big")
    return sealed + hmac.new(auth_key, sealed + counter, hashlib.sha1).digest()[:10]


@pytest.mark.parametrize("profile", [CM_128, CM_256])
def test_counter_mode_is_as_the_rfc_says_over_turns(profile: int) -> None:
    key = os.urandom(KEY_BYTES[profile])
    sender, receiver = Srtp(profile, key, sending=True), Srtp(profile, key, sending=False)
    for index in range(60000, 300000, 20000):
        clear = packet(index, os.urandom(index % 1000))
        assert sender.protect(clear) == sealed_by_the_rfc(key, clear, index)
        assert receiver.unprotect(sealed_by_the_rfc(key, clear, index)) == clear
