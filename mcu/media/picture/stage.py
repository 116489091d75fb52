"""Who may be shown, and what decides where: the room's people, who spoke, who shares, who is in the spotlight.

Owns the order of things in time, which the layouts need: the latest speakers, the latest share. Refuses to keep
anything of a leg that may not be seen any more.
"""

from collections.abc import Iterable

from mcu.ids import LegId
from mcu.media.messages import Source
from mcu.media.picture.layout import Scene
from mcu.media.seams import Seen


class Stage:
    """Belongs to the room's event loop."""

    def __init__(self) -> None:
        self.seen: dict[LegId, Seen] = {}
        self.speaker: LegId | None = None
        self.spotlight: LegId | None = None
        self._recent: list[LegId] = []
        self._sharing: list[LegId] = []  # the latest last

    def set_seen(self, seen: Iterable[Seen]) -> set[LegId]:
        """Who may be shown from now on. Returns who no longer may."""
        former, self.seen = self.seen, {leg.leg: leg for leg in seen}
        self._sharing = [leg for leg in self._sharing if self._shares(leg)]
        self._sharing += [leg for leg in self.seen if self._shares(leg) and leg not in self._sharing]
        self._recent = [leg for leg in self._recent if leg in self.seen]
        if self.speaker not in self.seen:
            self.speaker = None
        return former.keys() - self.seen.keys()

    def set_speaker(self, leg: LegId | None) -> None:
        """Who speaks. None: nobody; who spoke last keeps the large tile, without the border."""
        self.speaker = leg if leg in self.seen else None
        if self.speaker is not None:
            self._recent = [self.speaker, *(other for other in self._recent if other != self.speaker)]

    @property
    def sharing(self) -> LegId | None:
        """Whose screen is shown."""
        return self._sharing[-1] if self._sharing else None

    def scene(self, without: LegId | None = None, *, content: bool = True) -> Scene:
        """What the layouts are told: all but one leg, and what is shared only where `content` is in the picture."""
        return Scene(
            seen=tuple(leg for leg in self.seen if leg != without),
            recent=tuple(leg for leg in self._recent if leg != without),
            spotlight=self.spotlight if self.spotlight != without else None,
            sharing=self.sharing if content and self.sharing != without else None,
        )

    def sends(self, leg: LegId, source: Source) -> bool:
        """Whether the leg says that it sends this picture."""
        seen = self.seen.get(leg)
        return seen is not None and (seen.camera if source is Source.CAMERA else seen.screen)

    def _shares(self, leg: LegId) -> bool:
        return self.sends(leg, Source.SCREEN)
