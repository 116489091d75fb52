"""UDP and TCP have one number: where any will do, one that is free for both, at each address."""

import socket
from collections.abc import Callable

import pytest

from mcu.net.ports import pairs

HERE = "127.0.0.1"
Create = Callable[..., socket.socket]


def test_each_address_has_the_same_number_for_both() -> None:
    made = pairs([HERE, "::1"], 0)
    numbers = {one.getsockname()[1] for pair in made for one in pair}
    for pair in made:
        pair.close()
    assert len(numbers) == 1


def test_a_number_that_is_taken_for_udp_is_passed_over_unless_it_is_that_which_is_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as others:
        others.bind((HERE, 0))
        taken, create, asked = others.getsockname()[1], socket.create_server, list[int]()

        def first_gives_the_taken(address: tuple[str, int], **how: object) -> socket.socket:
            asked.append(address[1])
            return create((HERE, taken) if len(asked) == 1 else address, **how)  # type: ignore[arg-type]

        monkeypatch.setattr(socket, "create_server", first_gives_the_taken)
        (pair,) = pairs([HERE], 0)
        assert asked == [0, 0]
        assert pair.udp.getsockname()[1] == pair.tcp.getsockname()[1] != taken
        pair.close()
        with pytest.raises(OSError, match="in use"):
            pairs([HERE], taken)
        create((HERE, taken)).close()  # nothing is left open
