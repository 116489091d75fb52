"""What threads are to the kernel: sound first, pictures when there is time."""

import os
import subprocess
import sys
import threading

from rights import need_root

from mcu.net.process import give_way, hurry

SAYS_HOW_NICE = "import os; from mcu.net.process import hurry; hurry(); print(os.getpriority(os.PRIO_PROCESS, 0))"


DIES_WITH_PARENT = "from mcu.net.process import die_with_parent; die_with_parent(); print('lives')"
STARTS_IT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {DIES_WITH_PARENT!r}])"


def nice_after(what: list[object]) -> int:
    """How nice a thread is that has called them."""
    found = []

    def run() -> None:
        for call in what:
            call()  # type: ignore[operator]
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_that_gives_way_is_the_only_one_that_does() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    assert nice_after([give_way]) == (5 if os.geteuid() == 0 else max(5, before))
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


def test_who_may_hurries_and_can_still_give_way() -> None:
    need_root("to hurry")
    assert nice_after([hurry]) == -11
    assert nice_after([hurry, give_way]) == 5


def test_who_may_not_hurry_goes_on_as_before() -> None:
    without = ["setpriv", "--bounding-set=-sys_nice", "--inh-caps=-sys_nice"] if os.geteuid() == 0 else []
    before = os.getpriority(os.PRIO_PROCESS, 0)
    said = subprocess.run([*without, sys.executable, "-c", SAYS_HOW_NICE], capture_output=True, text=True, check=True)
    assert int(said.stdout) == before


def test_a_child_of_a_containers_first_process_lives() -> None:
    need_root("a container's process 1")
    first = ["unshare", "--pid", "--fork", sys.executable, "-c", STARTS_IT]
    assert subprocess.run(first, capture_output=True, text=True, check=True).stdout == "lives\n"
