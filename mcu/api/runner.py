"""Runs the application; also what cannot be read as HTTP at all is answered as a problem, and never said back."""

from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from mcu.api import problems
from mcu.errors import McuError
from mcu.ids import new_id

log = structlog.get_logger()


class Runner(web.AppRunner):
    """As `web.AppRunner`, without its access log (a URL may hold what is private) and its own error pages."""

    def __init__(self, app: web.Application, **how: Any) -> None:
        super().__init__(app, access_log=None, **how)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(made.request_handler, request_factory=made.request_factory, **made._kwargs)


class _Server(web.Server):
    def __call__(self) -> RequestHandler:
        return _Handler(self, loop=self._loop, **self._kwargs)


class _Handler(RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """`message` repeats what was sent; it goes nowhere. The connection is closed."""
        name = new_id("req")
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun")
        if status < 500:
            log.info("unreadable", request=name, error=type(exc).__name__)
            response = problems.answer(problems.Malformed("It is not HTTP."), name)
        else:
            log.error("unhandled", request=name, exc_info=exc)
            response = problems.answer(McuError("It has been logged under the request id."), name)
        response.headers["X-Request-Id"] = name
        response.force_close()
        return response
