"""The data directory: private, and one server's at a time."""

import fcntl
import os
from pathlib import Path
from typing import TextIO

from mcu.errors import McuError


class DataUnusable(McuError):
    """The data directory cannot be used. `detail` says what to do."""

    code, title = "data-unusable", "The data directory cannot be used"


def prepare(directory: Path) -> None:
    """Make the directory, for its owner alone, if it is not there. Raises `DataUnusable`."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DataUnusable(f"{directory} cannot be made ({error.strerror}): set data.directory to another") from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise DataUnusable(f"{directory} cannot be written to: give this user the right to, or set data.directory")


def lock(directory: Path) -> TextIO:
    """Take the directory; it is free again when the file is closed or the process is gone, however it went.

    Raises `DataUnusable` when another server has it: two would both run the same meetings.
    """
    file = (directory / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.close()
        raise DataUnusable(f"another server uses {directory}: stop it, or set data.directory to another") from error
    return file
