"""What is stored sealed is read by the same server in the same place, and by nobody else."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mcu.auth.keys import SigningKey
from mcu.auth.sealing import Seal
from mcu.errors import Unavailable


@pytest.fixture
def seal() -> Seal:
    return Seal(SigningKey(Ed25519PrivateKey.generate()))


def test_what_is_sealed_is_read_back_and_not_seen(seal: Seal) -> None:
    sealed = seal.close(b"PIN 839201", b"here")
    assert b"839201" not in sealed
    assert seal.open(sealed, b"here") == b"PIN 839201"
    assert seal.close(b"PIN 839201", b"here") != sealed


def test_another_place_another_key_or_a_changed_byte_opens_nothing(seal: Seal) -> None:
    sealed = seal.close(b"PIN 839201", b"here")
    other = Seal(SigningKey(Ed25519PrivateKey.generate()))
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for who, what, where in ((seal, sealed, b"there"), (other, sealed, b"here"), (seal, changed, b"here")):
        with pytest.raises(Unavailable):
            who.open(what, where)


def test_a_mac_tells_where_one_part_ends(seal: Seal) -> None:
    assert seal.mac(b"ab", b"c") == seal.mac(b"ab", b"c") != seal.mac(b"a", b"bc")
