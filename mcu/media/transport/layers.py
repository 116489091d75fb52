"""Which layer of a simulcast to take for what is wanted of it. Pure: told the time.

The smallest that is at least as large as wanted, among those that come; where none is, the largest. A layer that is
nearly large enough is kept, so that nobody flaps; one that had stopped is taken again when it has come for a while.
"""

from dataclasses import dataclass
from typing import Final

from mcu.media.seams import Wanted

KEPT: Final = 0.9  # of the wanted size: a layer that is taken already is large enough
RETURNS_S: Final = 2.0  # how long a layer that had stopped must come again
BELOW: Final = (150_000, 500_000)  # bit/s that a browser gives the lower layers before the next one gets any


@dataclass
class _Layer:
    comes: bool = False
    since: float = 0.0  # it is to be used from then on
    width: int = 0
    height: int = 0

    def is_enough(self, wanted: Wanted, share: float = 1.0) -> bool:
        """It is fitted into the tile whole: one side decides."""
        return self.width >= share * wanted.width or self.height >= share * wanted.height

    @property
    def pixels(self) -> int:
        return self.width * self.height


class Layers:
    """Of one source of one leg, `count` of them; one: there is no simulcast."""

    def __init__(self, count: int) -> None:
        self._layers = [_Layer() for _ in range(count)]
        self._chosen = -1

    def heard(self, number: int, comes: bool, size: tuple[int, int], now: float) -> float | None:
        """A layer comes, or has stopped; its size in pixels, 0: not known. When to choose again, if it returns."""
        layer = self._layers[number]
        returns = comes and not layer.comes and layer.pixels > 0
        if returns:
            layer.since = now + RETURNS_S
        layer.comes, (layer.width, layer.height) = comes, size
        return layer.since if returns else None

    def choose(self, wanted: Wanted, now: float) -> int:
        """The layer to take; -1: none."""
        if wanted.hidden:
            self._chosen = -1
        elif len(self._layers) == 1:
            self._chosen = 0
        else:
            self._chosen = self._nearest(wanted, now)
        return self._chosen

    def bits_per_second(self, wanted: Wanted) -> int:
        """What to let the far end send, so that it sends what is wanted: lower layers come first."""
        if wanted.hidden or len(self._layers) == 1:
            return wanted.bits_per_second
        best = self._enough([layer for layer in self._layers if layer.pixels] or self._layers, wanted)
        smaller = sum(layer.pixels < best.pixels for layer in self._layers)
        return wanted.bits_per_second + sum(BELOW[:smaller])

    def _nearest(self, wanted: Wanted, now: float) -> int:
        coming = [layer for layer in self._layers if layer.comes]
        usable = [layer for layer in coming if layer.since <= now] or coming
        if not usable:
            return max(self._chosen, 0)
        best = self._enough(usable, wanted)
        kept = self._layers[self._chosen] if self._chosen >= 0 else best
        if kept in usable and kept.is_enough(wanted, KEPT) and best.pixels > kept.pixels:
            best = kept
        return next(number for number, layer in enumerate(self._layers) if layer is best)

    @staticmethod
    def _enough(layers: list[_Layer], wanted: Wanted) -> _Layer:
        by_size = sorted(layers, key=lambda layer: layer.pixels)
        return next((layer for layer in by_size if layer.is_enough(wanted)), by_size[-1])
