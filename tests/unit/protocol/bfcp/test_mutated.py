"""Broken BFCP: nothing is raised, and none takes long. `scripts/mutate` does it a million times."""

import pytest
from broken_floors import torment


@pytest.mark.parametrize("seed", [201, 202])
def test_broken_messages_in_the_middle_of_requests_raise_nothing_and_take_no_time(seed: int) -> None:
    assert min(torment(2000, seed)) > 20
