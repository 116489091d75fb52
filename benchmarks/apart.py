"""A room in which one leg has a worse network than the others, and what each leg saw of it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from benchmarks.audio import sounds
from benchmarks.cameras import cameras
from benchmarks.contestants import ours, pin_load
from benchmarks.legs import Carry, Load, Recorded, carried
from benchmarks.video import SETTINGS
from benchmarks.watching import Shown, shown

LEGS: Final = 3  # the last is the one apart
SETTLE_S: Final = 4.0


@dataclass
class Watching:
    """What is going on, and what came of it."""

    load: Load
    began: float = 0.0  # monotonic seconds, when all had settled

    async def end(self) -> tuple[list[dict[str, Any]], list[Recorded]]:
        """What each leg counted and recorded; the last is the one apart."""
        counted = await self.load.results()
        recorded = self.load.recorded()
        return counted, [recorded[leg["leg"]] for leg in counted]

    def pictures(self, recorded: Recorded, after_s: float = 1.0) -> list[Shown]:
        """What could be shown from a moment after the beginning on."""
        return [picture for picture in shown(recorded.seen) if picture.at > self.began + after_s]


@asynccontextmanager
async def watching(apart: Carry, seconds: float) -> AsyncIterator[Watching]:
    """All legs have cameras, talk and see. `apart`: what is different about the last one."""
    prefix = pin_load()
    with tempfile.TemporaryDirectory(prefix="mcu-load-") as folder:
        directory = Path(folder)
        pairs = zip(sounds(directory, LEGS, LEGS), cameras(directory, LEGS), strict=True)
        common = Carry(record=True, record_pictures=True, reports=True)
        alike = [*(common for _ in range(LEGS - 1)), replace(apart, record=True, record_pictures=True, reports=True)]
        wanted = [
            replace(leg, sound=carry.sound, camera=camera) for leg, (carry, camera) in zip(alike, pairs, strict=True)
        ]
        async with (
            ours(prefix, SETTINGS) as contestant,
            carried(contestant.join, wanted, directory, SETTLE_S + seconds, SETTLE_S) as load,
        ):
            await load.begin()
            await asyncio.sleep(SETTLE_S)
            yield Watching(load, asyncio.get_running_loop().time())
