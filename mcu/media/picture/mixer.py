"""A room's pictures: composed once for each view, encoded once for each class, sent to whoever is in it.

Owns the room's streams, views and subscriptions, and the pace. Refuses to decide who may be shown: only who is in
`set_seen` is, and whoever leaves it is in no picture that is sent from then on, not even in one that is being made.
Pixels and codecs are the pools'; the event loop only decides. A room that nobody looks at does nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec
import structlog

from mcu.clock import Clock, SystemClock
from mcu.ids import LegId
from mcu.media.cost import Pictures
from mcu.media.messages import Layout, NetworkTrouble, Personal, RoomProfile, Source, Tile
from mcu.media.picture import rates
from mcu.media.picture.classes import ClassKey, EncodingClass, ViewKey
from mcu.media.picture.content import FPS as CONTENT_FPS
from mcu.media.picture.content import LARGEST, RATES, Content
from mcu.media.picture.decoder import Shot, Stream
from mcu.media.picture.delivery import Delivery, Wish
from mcu.media.picture.job import Job, Viewed
from mcu.media.picture.layout import WITH_CONTENT, check_canvas
from mcu.media.picture.pace import Pace
from mcu.media.picture.pools import Pools, Share
from mcu.media.picture.sizes import allows
from mcu.media.picture.stage import Stage
from mcu.media.picture.view import View, tiles_by_picture
from mcu.media.seams import VIDEO_CLOCK, EncodedPicture, FrameLimit, PictureOutputs, Seen, Shown, Viewer, Wanted

TUNE_EVERY_S: Final = 0.5  # how often legs' lines are held against what they are sent
DECODE_MOST_S: Final = 0.010  # for which a frame waits for what has come

_log = structlog.get_logger(__name__)
_Picture = tuple[LegId, Source]
_Encoded = list[tuple[EncodingClass, EncodedPicture | None]]


class RoomPictures:
    """`seams.PictureMixer`. Belongs to one event loop. Raises `errors.Invalid` for a canvas that cannot be divided."""

    def __init__(self, profile: RoomProfile, pools: Pools, outputs: PictureOutputs, clock: Clock | None = None) -> None:
        check_canvas(profile.width, profile.height)
        self._profile, self._pools, self._outputs = profile, pools, outputs
        self._clock = clock or SystemClock()
        self._decoding = Share(pools.decode)
        self._layout = profile.layout
        self._stage = Stage()
        self._streams: dict[_Picture, Stream] = {}
        self._wanted: dict[_Picture, Wanted] = {}
        self._viewers: dict[LegId, Viewer] = {}
        self._views: dict[ViewKey, Viewed] = {}
        self._deliveries = {
            Source.CAMERA: Delivery(rates.ladder(profile.width, profile.height)),
            Source.SCREEN: Delivery(RATES),
        }
        self._told: dict[LegId, Shown] = {}
        self._drops = Counter[str]()
        self._pace = Pace(profile.fps)
        self._tuned = self._clock.monotonic()
        self._looked_at = asyncio.Event()
        self._moved = True  # somebody may have to be placed elsewhere
        self._busy: set[asyncio.Future[Any]] = set()  # what the pools do for this room
        self.encodes = 0
        self.frames_composed = 0

    # -- what the room says -----------------------------------------------------------------------------------------

    def set_seen(self, seen: Sequence[Seen]) -> None:
        """Who may be shown. A leg that is no longer among them is gone with the next picture."""
        if list(self._stage.seen.values()) == list(seen):
            return
        gone = self._stage.set_seen(seen)
        for picture in [picture for picture in self._streams if picture[0] in gone]:
            self._close(picture)
        self._want({picture: wanted for picture, wanted in self._wanted.items() if picture[0] not in gone})
        self._moved = True

    def set_viewers(self, viewers: Sequence[Viewer]) -> None:
        """Who takes the composed picture, and what each can receive."""
        wanted = {viewer.leg: viewer for viewer in viewers}
        if wanted == self._viewers:
            return
        for leg in self._viewers.keys() - wanted.keys():
            self._told.pop(leg, None)
        for viewer in [viewer for leg, viewer in wanted.items() if leg not in self._viewers]:
            self._aim(viewer)
        self._viewers = wanted
        self._moved = True
        if not self._viewers:
            self._rest()
        elif not self._looked_at.is_set():
            self._pace.begin(self._clock.monotonic())
            self._looked_at.set()

    def set_bandwidth(self, leg: LegId, bits_per_second: int) -> None:
        """What a viewer can receive now. Read against what it is sent once each TUNE_EVERY_S."""
        viewer = self._viewers.get(leg)
        if viewer is not None:
            self._viewers[leg] = msgspec.structs.replace(viewer, bits_per_second=bits_per_second)

    def set_layout(self, layout: Layout) -> None:
        """The room's layout: the view of all who chose none themselves."""
        self._layout = layout
        self._moved = True

    def set_speaker(self, leg: LegId | None) -> None:
        """The active speaker."""
        self._stage.set_speaker(leg)
        self._moved = True

    def set_spotlight(self, leg: LegId | None) -> None:
        """Who is kept large, whoever speaks."""
        self._stage.spotlight = leg
        self._moved = True

    def on_picture(self, leg: LegId, source: Source, picture: EncodedPicture) -> None:
        """A frame from a leg. Dropped, and counted, when the leg is in no tile or its decoder is behind."""
        stream = self._streams.get((leg, source))
        if stream is None:
            self._drop("picture_not_shown", 1)
            return
        stream.put(picture)

    def key_requested(self, leg: LegId, source: Source) -> None:
        """The leg cannot go on without a key frame of the composed picture (CAMERA), or of content (SCREEN).

        One whose line has become too thin for its class, or that loses much, is moved first, and one that waits for
        another class waits on: what it needs costs those who have room nothing.
        """
        delivery, viewer = self._deliveries[source], self._viewers.get(leg)
        moves = delivery.needs_key(leg, self._outputs.picture_loss(leg, source))
        if viewer is not None and (moves or delivery.is_outgrown(leg, viewer.bits_per_second)):
            self._tuned = float("-inf")  # it is due
            self._subscribe(self._clock.monotonic())
        key = delivery.subscriptions.awaited_by(leg) or delivery.subscriptions.of(leg)
        if key is not None:
            self._views[key.view].classes[key].gate.request()

    @property
    def made(self) -> Pictures:
        """What is made in a frame when all that legs ask for is there; without content, which is few pictures."""
        wishes = [self._composed(viewer, 0) for viewer in self._viewers.values()]
        views, encodes = {wish.view for wish in wishes}, {(wish.view, wish.codec, wish.limit) for wish in wishes}
        return Pictures(len(views), len(encodes))

    def trouble(self, leg: LegId) -> NetworkTrouble:
        """What the leg's network does to its composed picture: NARROW, STOPPED or NONE."""
        return self._deliveries[Source.CAMERA].trouble(leg)

    def dropped(self) -> Mapping[str, int]:
        """Pictures that were lost here, by reason, and frames that were begun late or left out."""
        paced = {"picture_frame_late": self._pace.late, "picture_frame_skipped": self._pace.skipped}
        return {**self._drops, **{reason: count for reason, count in paced.items() if count}}

    # -- who sees what ----------------------------------------------------------------------------------------------

    def _rest(self) -> None:
        """Nobody looks."""
        self._looked_at.clear()
        for picture in list(self._streams):
            self._close(picture)
        self._want(dict.fromkeys(self._wanted, rates.HIDDEN))
        self._subscribe(self._clock.monotonic())

    def _subscribe(self, now: float) -> None:
        """Each viewer into its classes; classes and views that nobody is in any more are given up."""
        self._wish(now)
        if now - self._tuned >= TUNE_EVERY_S:
            self._tune(now)
            self._wish(now)  # which view a leg gets hangs on what its line has room for
        for delivery in self._deliveries.values():
            for key in delivery.settle(now, self._outputs.has_room):
                view = self._views.get(key.view) or self._new_view(key.view)
                self._views[key.view] = view
                view.encoding_class(key, delivery.rates[key.rung], now).gate.request()
        self._give_up()
        for view in self._views.values():
            for cls in view.classes.values():
                limit = self._deliveries[view.key.source].limit(cls.key)
                cls.bits_per_second = limit if limit is not None else cls.bits_per_second

    def _wish(self, now: float) -> None:
        wishes: dict[Source, dict[LegId, Wish]] = {source: {} for source in Source}
        for viewer in self._viewers.values():
            for wish in self._wishes(viewer, now):
                wishes[wish.view.source][viewer.leg] = wish
        for source, delivery in self._deliveries.items():
            delivery.wish(wishes[source], now)

    def _wishes(self, viewer: Viewer, now: float) -> list[Wish]:
        """What a viewer is to see, and the bits that there are for each: content goes before people."""
        bits, sharing = viewer.bits_per_second, self._stage.sharing
        if viewer.content is None or sharing is None or sharing == viewer.leg:
            return [self._composed(viewer, bits)]
        content, least = self._sent(viewer.leg, Source.SCREEN, now), rates.least(self._deliveries[Source.CAMERA].rates)
        return [
            self._composed(viewer, max(0, bits - int(content))),
            Wish(
                ViewKey(None, sharing=sharing),
                viewer.content,
                max(0, bits - least),
                _if_less(viewer.content_limit, *LARGEST, CONTENT_FPS[0]),
            ),
        ]

    def _composed(self, viewer: Viewer, bits: int) -> Wish:
        most = (self._profile.width, self._profile.height, self._profile.fps)
        return Wish(self._view_of(viewer), viewer.codec, bits, _if_less(viewer.limit, *most))

    def _aim(self, viewer: Viewer) -> None:
        """What more there is use for on its line."""
        sources = (Source.CAMERA, Source.SCREEN) if viewer.content is not None else (Source.CAMERA,)
        self._outputs.aim(viewer.leg, rates.use_of(*(self._deliveries[source].rates for source in sources)))

    def _sent(self, leg: LegId, source: Source, now: float) -> float:
        """Bits per second that the leg was really sent lately."""
        key = self._deliveries[source].subscriptions.of(leg)
        return self._rate(key, now) if key is not None else 0.0

    def _rate(self, key: ClassKey, now: float) -> float:
        return self._views[key.view].classes[key].meter.rate(now)

    def _new_view(self, key: ViewKey) -> Viewed:
        if key.sharing is not None:
            return Content(key, key.sharing)
        return View(key, key.layout or self._layout, self._profile)

    def _give_up(self) -> None:
        used = set[ClassKey]().union(*(delivery.subscriptions.used() for delivery in self._deliveries.values()))
        for view in self._views.values():
            view.classes = {key: cls for key, cls in view.classes.items() if key in used}
        self._views = {key: view for key, view in self._views.items() if view.classes}

    def _view_of(self, viewer: Viewer) -> ViewKey:
        layout = viewer.layout or self._layout
        return ViewKey(
            layout,
            without=viewer.leg if viewer.personal is Personal.PERSONAL else None,
            content_apart=layout in WITH_CONTENT and self._takes_apart(viewer),
        )

    def _takes_apart(self, viewer: Viewer) -> bool:
        """Whether what is shared is not in its composed picture: its line has room for two pictures, or it shares."""
        takes = viewer.content is not None and self._stage.sharing is not None
        return takes and not self._deliveries[Source.SCREEN].is_dark(viewer.leg)

    def _place(self, now: float) -> None:
        """Everybody to their view and tile, and with that: who is decoded, who sends how much, who is told what."""
        self._moved = False
        self._subscribe(now)
        for view in self._views.values():
            view.arrange(self._stage)
        tiles = tiles_by_picture(self._views.values())
        shown = {picture for picture in tiles if self._stage.sends(*picture)}
        for picture in self._streams.keys() - shown:
            self._close(picture)
        for picture in shown - self._streams.keys():
            self._streams[picture] = self._open(*picture)
        self._ask(tiles)
        self._tell()

    def _open(self, leg: LegId, source: Source) -> Stream:
        return Stream(self._decoding, self._clock, lambda: self._outputs.request_key(leg, source), self._drop)

    def _close(self, picture: _Picture) -> None:
        self._streams.pop(picture).close()

    def _ask(self, tiles: Mapping[_Picture, Sequence[Tile]]) -> None:
        sent = [(leg, source) for leg in self._stage.seen for source in Source if self._stage.sends(leg, source)]
        whole = {(tile.leg, tile.source) for view in self._views.values() if not view.crowded for tile in view.tiles}
        self._want({it: rates.wanted_of(tiles.get(it, ()), thin=it not in whole) for it in sent})

    def _want(self, wanted: dict[_Picture, Wanted]) -> None:
        former, self._wanted = self._wanted, wanted
        for picture in former.keys() - wanted.keys():
            self._outputs.want(*picture, rates.HIDDEN)
        for picture, what in wanted.items():
            if former.get(picture) != what:
                self._outputs.want(*picture, what)

    def _tell(self) -> None:
        """Each viewer what it sees, where that is new: those who see the same are told at once."""
        news: dict[Shown, list[LegId]] = {}
        for leg, viewer in self._viewers.items():
            shown = self._shown(viewer)
            if shown is not None and self._told.get(leg) != shown:
                self._told[leg] = shown
                news.setdefault(shown, []).append(leg)
        for shown, legs in news.items():
            self._outputs.layout_changed(legs, shown)

    def _shown(self, viewer: Viewer) -> Shown | None:
        view = self._views.get(self._view_of(viewer))
        if not isinstance(view, View):  # its line has no room for any picture: the last stands still, content goes
            told = self._told.get(viewer.leg)
            return msgspec.structs.replace(told, content=None) if told is not None else None
        content = self._deliveries[Source.SCREEN].subscriptions.of(viewer.leg)
        return Shown(
            layout=view.drawn,
            tiles=view.tiles,
            content=content.view.sharing if content is not None else None,
            personal=viewer.personal,
        )

    # -- frame by frame ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Composes and encodes at the room's frame rate until cancelled; then ends its decoders and encoders."""
        try:
            while True:
                await self._looked_at.wait()
                due = self._pace.next(self._clock.monotonic())
                await asyncio.sleep(max(0.0, due - self._clock.monotonic()))
                self._pace.started(self._clock.monotonic())
                self._outputs.take()
                await self._decoding.done(DECODE_MOST_S)
                await self._guarded_frame(due)
        finally:
            await self._end()

    async def _end(self) -> None:
        for picture in list(self._streams):
            self._close(picture)
        self._views.clear()
        if self._busy:
            await asyncio.wait(self._busy)

    async def _guarded_frame(self, due: float) -> None:
        try:
            await self.frame(due)
        except Exception:  # the outermost loop: one picture's defect must not be the last picture of the room
            self._drops["frame_failed"] += 1
            _log.exception("frame_failed")

    async def frame(self, due: float) -> None:
        """Compose, encode and send the frame that is due at this time."""
        now = self._clock.monotonic()
        if self._moved or now - self._tuned >= TUNE_EVERY_S:
            self._place(now)
        timestamp = round(due * VIDEO_CLOCK)  # a call that comes from elsewhere on this machine finds time go on
        found = {view: self._job(view, now, timestamp) for view in self._views.values()}
        jobs = {view: job for view, job in found.items() if job is not None}
        loop = asyncio.get_running_loop()
        running = {loop.run_in_executor(self._pools.paint, job.run): (view, job) for view, job in jobs.items()}
        for work in running:
            self._watch(work)
        if running:
            await asyncio.wait(running)  # which, unlike gather, leaves them alone when it is cancelled
        for work, (view, job) in running.items():
            self._finish(view, job, work.exception() or work.result(), now)

    def _job(self, view: Viewed, now: float, timestamp: int) -> Job | None:
        def received(key: ClassKey) -> bool:
            return bool(self._deliveries[key.view.source].subscriptions.receivers(key))

        return view.job(self._stage, self._shot_of, received, now, timestamp)

    def _shot_of(self, leg: LegId, source: Source) -> Shot | None:
        stream = self._streams.get((leg, source))
        return stream.shot if stream is not None else None

    def _finish(self, view: Viewed, job: Job, encoded: _Encoded | BaseException, now: float) -> None:
        if isinstance(encoded, BaseException):
            _log.error("a view could not be painted", exc_info=encoded)
            self._drop("picture_not_painted", 1)
            view.failed()
            return
        self.frames_composed += 1
        self.encodes += len(encoded)
        if not all(self._may_be_shown(*picture) for picture in job.shows):
            self._drop("picture_withdrawn", len(encoded))
            view.failed()
            return
        made = [(cls, picture) for cls, picture in encoded if picture is not None]
        self._drop("picture_not_encoded", len(encoded) - len(made))
        for cls in [cls for cls, picture in made if picture.key]:
            cls.gate.granted(now)
            self._deliveries[cls.key.view.source].subscriptions.key_frame(cls.key)
        for cls, picture in made:  # who came by a key frame came before anything is sent: no leg gets a frame twice
            self._send(cls, picture, now)
        if any(picture.key for _, picture in made):
            self._give_up()

    def _may_be_shown(self, leg: LegId, source: Source) -> bool:
        """A screen that is not shared any more is gone as whoever left is; a camera that is off has an avatar."""
        return leg in self._stage.seen and (source is Source.CAMERA or self._stage.sends(leg, source))

    def _send(self, cls: EncodingClass, picture: EncodedPicture, now: float) -> None:
        cls.meter.add(now, len(picture.data))
        source = cls.key.view.source
        legs = self._deliveries[source].subscriptions.receivers(cls.key)
        if legs:
            self._outputs.send_picture(legs, source, picture)

    def _tune(self, now: float) -> None:
        """Hold what legs' lines carry, and what they lose, against what they are sent."""
        self._tuned = now
        for source, delivery in self._deliveries.items():
            delivery.tune(now, partial(self._outputs.picture_loss, source=source))

    def _watch(self, work: asyncio.Future[Any]) -> None:
        self._busy.add(work)
        work.add_done_callback(self._busy.discard)

    def _drop(self, reason: str, count: int) -> None:
        if count:
            self._drops[reason] += count


def _if_less(limit: FrameLimit | None, width: int, height: int, fps: int) -> FrameLimit | None:
    """None where all that there can be is within it: then those who have other limits can share."""
    return None if limit is None or allows(limit, width, height, fps) else limit
