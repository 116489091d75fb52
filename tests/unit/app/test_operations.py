"""Health: what is said while it starts, while it works, and while a part does not."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp.test_utils import TestClient, TestServer

from mcu.app import operations
from mcu.app.operations import Health, make_operations
from mcu.errors import Unavailable
from mcu.telemetry.metrics import Metrics


async def fine() -> None:
    return


async def broken() -> None:
    raise Unavailable("no media worker answers")


async def hanging() -> None:
    await asyncio.sleep(60)


async def ask(health: Health, path: str) -> tuple[int, str]:
    async with TestClient(TestServer(make_operations(health, Metrics()))) as client:
        answer = await client.get(path)
        return answer.status, await answer.text()


async def test_before_it_has_started_it_lives_and_is_not_ready() -> None:
    health = Health({"database": fine})
    assert (await ask(health, "/health/live"))[0] == 200
    assert (await ask(health, "/health/startup"))[0] == 503
    assert (await ask(health, "/health/ready"))[0] == 503


async def test_started_and_with_every_part_well_it_is_ready() -> None:
    health = Health({"database": fine, "workers": fine})
    health.started = True
    assert await ask(health, "/health/ready") == (200, '{"status": "ok"}')


@pytest.mark.parametrize(
    ("check", "why"), [(broken, "no media worker answers"), (hanging, "it does not answer in time")]
)
async def test_with_a_part_that_fails_it_is_not_ready_and_says_which(
    check: Callable[[], Awaitable[None]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "CHECK_S", 0.05)
    health = Health({"database": fine, "workers": check})
    health.started = True
    status, text = await ask(health, "/health/ready")
    assert status == 503
    assert f'"problems": {{"workers": "{why}"}}' in text
    assert (await ask(health, "/health/live"))[0] == 200


async def test_metrics_are_in_the_text_format_that_prometheus_reads() -> None:
    status, text = await ask(Health({}), "/metrics")
    assert status == 200
    assert "# TYPE mcu_worker_restarts_total counter" in text
