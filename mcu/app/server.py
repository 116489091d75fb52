"""Builds everything once, starts it from the bottom up, and stops it in reverse. Nothing else wires.

The order: data directory, ports, metrics and health, key, database, workers, rooms, then the door is opened. A part
that cannot start undoes those before it and says why.
"""

import asyncio
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from socket import socket
from typing import Final

import structlog
from aiohttp import web

from mcu.api.live import LIVE
from mcu.api.runner import Runner
from mcu.app import data
from mcu.app.media import worker_options
from mcu.app.operations import Health, make_operations
from mcu.app.parts import Parts, make_service
from mcu.app.sip import load_registrations, make_sip, open_sip, reach_of
from mcu.app.sockets import BadCertificate, listen, load_certificate, tls_context
from mcu.auth.keys import load_or_create
from mcu.auth.pins import PinHasher
from mcu.auth.sealing import Seal
from mcu.clock import Clock, SystemClock
from mcu.cluster.local import LocalWorkers
from mcu.cluster.process import Start, start_arguments
from mcu.conference.checks import NetworkChecks
from mcu.conference.conference import Conference
from mcu.conference.room import RoomSettings
from mcu.config.sections import Media
from mcu.config.settings import Settings
from mcu.errors import Unavailable
from mcu.media.messages import RoomProfile
from mcu.net.tls import Door
from mcu.storage.database import Database
from mcu.storage.migrate import migrate
from mcu.storage.state import ping
from mcu.telemetry.metrics import Metrics

log = structlog.get_logger(__name__)

LAG_S: Final = 0.1  # how often the event loop's lag is measured
SIP_PATH: Final = "/sip"  # of WebSockets
GRACE_S: Final = 2.0  # for requests under way, when we stop


async def serve(settings: Settings) -> None:
    """Until SIGTERM or SIGINT, also while it starts. A second signal ends the process at once."""
    loop = asyncio.get_running_loop()
    service = asyncio.create_task(_run(settings))

    def stop(name: str) -> None:
        log.info("stopping", signal=name)
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(one)
        service.cancel()

    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop, one.name)
    with suppress(asyncio.CancelledError):
        await service
    log.info("stopped")


async def _run(settings: Settings) -> None:
    async with running(settings):
        await asyncio.Event().wait()  # until cancelled


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[None]:
    """The whole service. Raises a `McuError` that says what to do when a part cannot start."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        data.prepare(settings.data.directory)
        stack.enter_context(data.lock(settings.data.directory))
        tls = tls_context(settings.server.tls_cert, settings.server.tls_key)
        door = stack.enter_context(listen(settings.server.host, settings.server.port, "server"))
        back = stack.enter_context(listen(settings.operations.host, settings.operations.port, "operations"))
        metrics = Metrics()
        await _measure_lag(stack, metrics, clock)

        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        workers = _make_workers(settings, metrics, clock)
        health = Health({"workers": lambda: _some_worker(workers), "database": lambda: ping(database)})
        await _open(stack, make_operations(health, metrics), back, metrics)

        key = load_or_create(settings.key_file)
        await migrate(settings.database_url)
        stack.push_async_callback(workers.stop)
        await workers.start()
        conference = await _start_rooms(stack, settings.media, database, workers, metrics, clock)

        public_url = settings.public_url(door.getsockname()[1])
        pins = PinHasher()
        stack.callback(pins.close)
        reach = reach_of(settings.sip, settings.organisations, public_url)
        registrations = await load_registrations(settings.sip, reach, database, Seal(key), clock)
        app = make_service(
            Parts(
                settings=settings,
                clock=clock,
                metrics=metrics,
                key=key,
                database=database,
                pins=pins,
                conference=conference,
                checks=NetworkChecks(workers, clock),
                switchboard=registrations,
                reach=reach,
            )
        )
        sip = make_sip(
            settings,
            conference=conference,
            workers=workers,
            door=app[LIVE].door,
            registrations=registrations,
            clock=clock,
        )
        if sip is not None:
            app.router.add_get(SIP_PATH, sip.web_sockets.handle)
        await _open(stack, app, door, metrics, tls)
        if sip is not None:
            await open_sip(stack, sip)
            metrics.sip_is(sip)
        _renew_certificates_on_hangup(
            stack,
            (tls, settings.server.tls_cert, settings.server.tls_key),
            *((context, settings.sip.tls_cert, settings.sip.tls_key) for context in (sip.shows if sip else ())),
        )
        health.started = True
        stack.callback(setattr, health, "started", False)
        log.info("serving", address=public_url, operations=_address(back), workers=len(workers.alive))
        yield


def release() -> str:
    """Our version, as crash reports name it."""
    try:
        return f"mcu@{version('mcu')}"
    except PackageNotFoundError:  # run from the source tree
        return "mcu@source"


def _make_workers(settings: Settings, metrics: Metrics, clock: Clock) -> LocalWorkers:
    told = worker_options(settings.media, settings.sip.prompts, settings.organisations)
    arguments = [start_arguments(options, settings.logging.level) for options in told]
    return LocalWorkers([Start(arguments=listed) for listed in arguments], metrics=metrics, clock=clock)


async def _start_rooms(
    stack: AsyncExitStack, media: Media, database: Database, workers: LocalWorkers, metrics: Metrics, clock: Clock
) -> Conference:
    conference = Conference(
        store=database,
        workers=workers,
        clock=clock,
        settings=RoomSettings(profile=_profile(media)),
        dropped=metrics.control_dropped,
    )
    stack.push_async_callback(conference.stop)
    await conference.start()
    return conference


def _profile(media: Media) -> RoomProfile:
    return RoomProfile(
        width=media.width,
        height=media.height,
        fps=media.fps,
        loudest=media.loudest,
        resume_window_s=media.resume_window_s,
    )


async def _open(
    stack: AsyncExitStack, app: web.Application, sock: socket, metrics: Metrics, tls: ssl.SSLContext | None = None
) -> None:
    runner = Runner(app, handle_signals=False, shutdown_timeout=GRACE_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    if tls is None:
        await web.SockSite(runner, sock).start()
    else:
        assert runner.server is not None
        secure = Door(sock, tls, made=runner.server, refused=metrics.control_dropped)
        stack.push_async_callback(secure.close)


async def _some_worker(workers: LocalWorkers) -> None:
    if not workers.alive:
        raise Unavailable("no media worker answers")


async def _measure_lag(stack: AsyncExitStack, metrics: Metrics, clock: Clock) -> None:
    async def measure() -> None:
        while True:
            begun = clock.monotonic()
            await asyncio.sleep(LAG_S)
            metrics.loop_lagged(max(0.0, clock.monotonic() - begun - LAG_S))

    task = asyncio.create_task(measure())

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(end)


def _renew_certificates_on_hangup(
    stack: AsyncExitStack, *shown: tuple[ssl.SSLContext | None, Path | None, Path | None]
) -> None:
    """SIGHUP reads the certificates again, for those that renew them under way: what shows each, its file and its key.

    Without TLS it ends the server, as it ends any other.
    """
    renewed = [(context, cert, key) for context, cert, key in shown if context and cert and key]
    if not renewed:
        return

    def renew() -> None:
        for context, certificate, key in renewed:
            try:
                load_certificate(context, certificate, key)
                log.info("certificate_renewed")
            except BadCertificate as error:
                log.error("certificate_not_renewed", detail=error.detail)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, renew)
    stack.callback(loop.remove_signal_handler, signal.SIGHUP)


def _address(sock: socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
