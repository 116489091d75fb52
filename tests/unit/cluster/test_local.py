"""The workers of this machine, as real processes: asked, watched, started again, and never left behind."""

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from mcu import errors
from mcu.clock import SystemClock
from mcu.cluster import process as process_module
from mcu.cluster.local import LocalWorkers
from mcu.cluster.process import Start
from mcu.ids import LegId, RoomId
from mcu.media.frames import AnyEvent
from mcu.media.messages import AddLeg, Answered, CloseRoom, Done, OpenRoom, RoomProfile, WorkerReport
from mcu.telemetry.metrics import Metrics

SUPPORT = Path(__file__).parents[2] / "support"
START = Start(module="scripted_worker")


@pytest.fixture(autouse=True)
def _find_scripted_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("PYTHONPATH", f"{SUPPORT}:{SUPPORT.parents[1]}")
    yield
    structlog.reset_defaults()


class News:
    """What was told, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.deaths: list[tuple[str, float]] = []

    def on_event(self, worker: Any, event: AnyEvent) -> None:
        self.told.append(event)

    def on_death(self, worker: Any) -> None:
        self.deaths.append((worker.id, time.monotonic()))
        self.told.append("death")


@asynccontextmanager
async def workers(count: int = 1, start: Start = START) -> AsyncIterator[tuple[LocalWorkers, News]]:
    news = News()
    local = LocalWorkers([start] * count, metrics=Metrics(), clock=SystemClock())
    local.subscribe(news)
    await local.start()
    pids = [worker.pid for worker in local.alive]
    try:
        yield local, news
    finally:
        pids += [worker.pid for worker in local.alive]
        await local.stop()
    assert not [pid for pid in pids if running(pid)]


def running(pid: int) -> bool:
    """Whether there is such a process that is not a mere zombie that nobody has reaped."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def room(name: str) -> OpenRoom:
    return OpenRoom(room=RoomId(f"room_{name}"), profile=RoomProfile())


def leg(number: int) -> AddLeg:
    return AddLeg(room=RoomId("room_1"), leg=LegId(f"leg_{number}"), offer="", label="")


async def until(true: Callable[[], bool], within_s: float = 5.0) -> float:
    """Seconds that it took."""
    begun = time.monotonic()
    while not true():
        assert time.monotonic() - begun < within_s, "it did not happen in time"
        await asyncio.sleep(0.01)
    return time.monotonic() - begun


async def test_every_worker_is_a_process_of_its_own_and_answers() -> None:
    async with workers(2) as (local, _):
        pids = {worker.pid for worker in local.alive}
        assert len(pids | {os.getpid()}) == 3
        assert [await worker.ask(room("1")) for worker in local.alive] == [Done(), Done()]


async def test_replies_find_those_who_asked_and_commands_keep_their_order() -> None:
    async with workers() as (local, _):
        worker = await local.pick()
        replies = await asyncio.gather(*(worker.ask(leg(number)) for number in range(50)))
        assert replies == [Answered(answer=f"leg_{number}") for number in range(50)]


async def test_a_failure_in_the_worker_is_raised_as_the_error_that_it_was() -> None:
    async with workers() as (local, _):
        worker = await local.pick()
        with pytest.raises(errors.Conflict, match="open already"):
            await worker.ask(room("refuse"))


async def test_an_event_is_told_after_the_reply_that_came_before_it() -> None:
    async with workers() as (local, news):
        worker = await local.pick()
        await worker.ask(room("news"))
        assert news.told == []
        await until(lambda: bool(news.told))
        assert isinstance(news.told[0], WorkerReport)


@pytest.mark.parametrize("order", ["die", "babble"])
async def test_a_worker_that_dies_is_reported_at_once_and_those_who_wait_are_told(order: str) -> None:
    async with workers() as (local, news):
        worker = await local.pick()
        with pytest.raises(errors.Unavailable):
            await worker.ask(room(order))
        await until(lambda: bool(news.deaths), within_s=1)
        assert news.deaths[0][0] == worker.id


async def test_a_killed_worker_is_reported_within_a_second_and_another_takes_its_place() -> None:
    async with workers() as (local, news):
        worker = await local.pick()
        begun = time.monotonic()
        os.kill(worker.pid, signal.SIGKILL)
        await until(lambda: bool(news.deaths))
        assert news.deaths[0][1] - begun < 1
        other = await local.pick(wait_s=5)
        assert (other.pid, other.id) != (worker.pid, worker.id)
        with pytest.raises(errors.Unavailable):
            await worker.ask(room("1"))
        assert await other.ask(room("1")) == Done()


@pytest.mark.parametrize("stop", ["signal", "hang"])
async def test_a_worker_that_stops_answering_is_taken_for_dead_and_killed(stop: str) -> None:
    async with workers() as (local, news):
        worker = await local.pick()
        if stop == "signal":
            os.kill(worker.pid, signal.SIGSTOP)
        else:
            await worker.ask(room("hang"))
        took = await until(lambda: bool(news.deaths), within_s=3)
        assert 0.9 < took < 1.8
        assert not running(worker.pid)


async def test_the_death_of_one_worker_is_not_noticed_by_another() -> None:
    async with workers(2) as (local, news):
        first, second = local.alive
        os.kill(first.pid, signal.SIGKILL)
        await until(lambda: bool(news.deaths))
        assert await second.ask(room("1")) == Done()
        assert [name for name, _ in news.deaths] == [first.id]
        await until(lambda: len(local.alive) == 2)


async def test_no_event_is_told_of_a_worker_after_its_death() -> None:
    async with workers() as (local, news):
        worker = await local.pick()
        await worker.ask(room("news"))
        with pytest.raises(errors.Unavailable):
            await worker.ask(room("die"))
        await until(lambda: bool(news.deaths))
        assert news.told[-1] == "death"


async def test_without_a_living_worker_a_pick_waits_as_long_as_it_was_told_and_no_longer() -> None:
    async with workers() as (local, news):
        os.kill((await local.pick()).pid, signal.SIGKILL)
        await until(lambda: bool(news.deaths))
        with pytest.raises(errors.Unavailable):
            await local.pick()
        assert await (await local.pick(wait_s=5)).ask(room("1")) == Done()


async def test_rooms_are_spread_over_the_workers_with_the_least_to_do() -> None:
    async with workers(2) as (local, _):
        picked = [await local.pick() for _ in range(4)]
        assert sorted(worker.id for worker in picked) == ["w0.1", "w0.1", "w1.1", "w1.1"]
        busy, idle = local.alive
        await asyncio.gather(*(busy.ask(room(f"{number}")) for number in range(5)))
        assert (await local.pick()).id == idle.id
        for number in range(5):
            await busy.ask(CloseRoom(room=RoomId(f"room_{number}")))
        await idle.ask(room("news"))
        await until(lambda: idle.load >= 9)
        assert (await local.pick()).id == busy.id


async def test_a_command_without_an_answer_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "ANSWER_S", 0.1)
    async with workers() as (local, _):
        with pytest.raises(errors.Unavailable, match="in time"):
            await (await local.pick()).ask(room("slow"))


async def test_more_commands_than_are_allowed_under_way_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "PENDING", 3)
    async with workers() as (local, _):
        worker = await local.pick()
        asked = await asyncio.gather(*(worker.ask(leg(number)) for number in range(5)), return_exceptions=True)
        assert [type(reply) for reply in asked] == [Answered] * 3 + [errors.Unavailable] * 2


@pytest.mark.parametrize("fault", ["--die-at-start", "--no-such-option"])
async def test_a_worker_that_cannot_start_stops_the_start_with_a_reason(fault: str) -> None:
    local = LocalWorkers([Start(module="scripted_worker", arguments=(fault,))], metrics=Metrics(), clock=SystemClock())
    with capture_logs() as lines, pytest.raises(errors.Unavailable, match="did not start"):
        await local.start()
    assert any(line["event"] == "worker_output" for line in lines)


async def test_a_worker_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "START_S", 1.0)
    local = LocalWorkers(
        [Start(module="scripted_worker", arguments=("--mute",))], metrics=Metrics(), clock=SystemClock()
    )
    with pytest.raises(errors.Unavailable, match="did not start"):
        await local.start()


async def test_what_a_worker_writes_is_in_our_log_without_anybodys_words() -> None:
    with capture_logs() as lines:
        async with workers() as (local, _):
            worker = await local.pick()
            await worker.ask(room("talk"))
            await until(lambda: sum(line["event"] in {"said", "worker_output"} for line in lines) == 2)
    said = next(line for line in lines if line["event"] == "said")
    assert said == {"event": "said", "log_level": "warning", "codec": "H264", "worker": worker.id}
    assert "Anna Canary" not in str(lines)


async def test_workers_are_given_time_to_end_by_themselves_when_we_stop() -> None:
    with capture_logs() as lines:
        async with workers(2):
            pass
    assert sum(line["event"] == "left_by_itself" for line in lines) == 2
    assert not [line for line in lines if line["event"] in {"worker_died", "worker_hangs"}]


async def test_a_worker_that_does_not_end_when_we_stop_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "LEAVE_S", 0.3)
    async with workers() as (local, _):
        os.kill(local.alive[0].pid, signal.SIGSTOP)
    # `workers` has seen that it is gone


async def test_a_worker_is_not_given_our_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCU_DATABASE__URL", "postgresql+asyncpg://u:secret@h/d")
    async with workers() as (local, _):
        environment = await asyncio.to_thread(Path(f"/proc/{local.alive[0].pid}/environ").read_bytes)
        assert b"PYTHONPATH" in environment
        assert b"MCU_" not in environment


_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")


@pytest.mark.skipif(
    not _PAGES.exists() or "[madvise]" not in _PAGES.read_text(), reason="this kernel gives large pages to all or none"
)
async def test_a_workers_memory_is_in_large_pages() -> None:
    async with workers() as (local, _):
        maps = await asyncio.to_thread(Path(f"/proc/{local.alive[0].pid}/smaps").read_text)
        heap = maps.partition("[heap]")[2].partition("VmFlags:")[2].partition("\n")[0]
        assert "hg" in heap.split()


_PARENT = """
    import asyncio, sys
    from mcu.clock import SystemClock
    from mcu.cluster.local import LocalWorkers
    from mcu.cluster.process import Start
    from mcu.ids import RoomId
    from mcu.media.messages import OpenRoom, RoomProfile
    from mcu.telemetry.logging import configure_logging
    from mcu.telemetry.metrics import Metrics

    async def main():
        local = LocalWorkers([Start(module="scripted_worker")] * 2, metrics=Metrics(), clock=SystemClock())
        await local.start()
        await local.alive[0].ask(OpenRoom(room=RoomId("room_hang"), profile=RoomProfile()))
        print(*(worker.pid for worker in local.alive), flush=True)
        await asyncio.sleep(60)

    configure_logging()
    asyncio.run(main())
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_no_worker_outlives_its_control_process_not_even_one_that_hangs(end: signal.Signals) -> None:
    control = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(_PARENT), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert control.stdout
    pids = [int(pid) for pid in (await control.stdout.readline()).split()]
    assert len(pids) == 2
    control.send_signal(end)
    await control.wait()
    await until(lambda: not any(running(pid) for pid in pids), within_s=2)
