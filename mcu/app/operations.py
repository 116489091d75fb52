"""Metrics and health, on a port of their own: what a monitoring system and an orchestrator ask.

/metrics         Prometheus' text format
/health/live     200 while the event loop runs: else start the process again
/health/startup  200 once it has started
/health/ready    200 while people can be served: else send them elsewhere
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import web

from mcu.errors import McuError
from mcu.telemetry.metrics import Metrics

CHECK_S: Final = 1.0  # a part that takes longer to answer is not ready
Check = Callable[[], Awaitable[None]]


class Health:
    """What must work for us to serve. A check raises a `McuError` that says what is wrong."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self.started = False

    async def problems(self) -> dict[str, str]:
        """By part, why it cannot serve now; empty when all can."""
        if not self.started:
            return {"server": "it has not started yet"}
        said = await asyncio.gather(*(self._try(check) for check in self._checks.values()))
        return {part: why for part, why in zip(self._checks, said, strict=True) if why is not None}

    async def _try(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(CHECK_S):
                await check()
        except TimeoutError:
            return "it does not answer in time"
        except McuError as error:
            return error.detail or error.title
        return None


def make_operations(health: Health, metrics: Metrics) -> web.Application:
    """The application of the operations port."""

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), headers={"Content-Type": "text/plain; version=1.0.0"})

    async def live(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def startup(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok" if health.started else "starting"}, status=_status(health.started))

    async def ready(_: web.Request) -> web.Response:
        problems = await health.problems()
        answer = {"status": "ok"} if not problems else {"status": "not ready", "problems": problems}
        return web.json_response(answer, status=_status(not problems))

    app = web.Application()
    app.add_routes(
        [
            web.get("/metrics", show_metrics),
            web.get("/health/live", live),
            web.get("/health/startup", startup),
            web.get("/health/ready", ready),
        ]
    )
    return app


def _status(fine: bool) -> int:
    return 200 if fine else 503
