"""What a test may need to be allowed on its machine."""

import os

import pytest


def need_root(what: str) -> None:
    """Fail, rather than leave out what others rely on, where these tests do not run as root."""
    if os.geteuid() != 0:
        pytest.fail(f"{what} needs root: run the tests as root, in a container for instance")
