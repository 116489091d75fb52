"""`mcu serve`, started again and again within a second: all that it imports is imported once.

`python forked_serve.py` forks for each line that it reads, a path: the whole server with its workers, whose log goes
there. It prints the process id of each, and waits for nobody. Settings come from the environment, as ever.
"""

import os
import signal
import sys
from typing import NoReturn

from mcu.app import server  # noqa: F401  # what `serve` imports when it runs
from mcu.cli.serve import serve


def fork_for_each_line() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the killed
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run(line.strip())
        print(pid, flush=True)


def run(log_path: str) -> NoReturn:
    """In the child: serve until it is killed."""
    log = os.open(log_path, os.O_WRONLY | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # it waits for its workers
    try:
        serve()
    finally:
        os._exit(1)  # never back to reading lines


if __name__ == "__main__":
    fork_for_each_line()
