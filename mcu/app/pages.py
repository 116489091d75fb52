"""Serves the built web client: one page for `/` and `/j/{number}`, and its files. Reads nothing while it serves.

Files whose name holds a hash of their content are kept by browsers for ever; the page is asked for again each time.
"""

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

PAGES: Final = ("/", "/j/{number:[0-9]{9}}")
ELSEWHERE: Final = "/{path:(?!api/).+}"  # what nothing else answers to: a person gets the page, which says so
_COMPRESSED = (".html", ".js", ".css", ".svg", ".json", ".webmanifest", ".txt")
_TYPES = {".js": "text/javascript", ".webmanifest": "application/manifest+json", ".woff2": "font/woff2"}

_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
        "media-src 'self' blob: mediastream:; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), speaker-selection=(self)",
}

_NOT_BUILT: Final = """\
<!doctype html>
<html lang="en"><meta charset="utf-8"><title>The web page is not built</title>
<h1>The web page is not built</h1>
<p>The meeting server runs, but without the page that people join with. Build it with
<code>make web</code>, and start the server again.</p>
<p lang="sv">Mötesservern är i gång, men webbsidan som man ansluter med är inte byggd. Den som driver servern
behöver bygga den och starta om servern.</p>
</html>
"""


@dataclass(frozen=True)
class File:
    """One file of the client, ready to be sent."""

    content_type: str
    plain: bytes
    packed: bytes | None  # gzip, where that is smaller
    etag: str

    @classmethod
    def read(cls, path: Path) -> "File":
        plain = path.read_bytes()
        packed = gzip.compress(plain, mtime=0) if path.suffix in _COMPRESSED else None
        guessed = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        smaller = packed if packed is not None and len(packed) < len(plain) else None
        return cls(guessed, plain, smaller, hashlib.sha256(plain).hexdigest()[:32])

    def answer(self, request: web.Request, caching: str) -> web.Response:
        """The file, or 304 when the browser has it (RFC 9110 section 13.1.2)."""
        headers = {"Cache-Control": caching, "ETag": f'"{self.etag}"', "Vary": "Accept-Encoding"}
        if any(tag.value == self.etag for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        packed = self.packed if "gzip" in request.headers.get("Accept-Encoding", "") else None
        if packed is not None:
            headers["Content-Encoding"] = "gzip"
        charset = "utf-8" if self.content_type.startswith("text/") else None
        return web.Response(
            body=self.plain if packed is None else packed,
            headers=headers,
            content_type=self.content_type,
            charset=charset,
        )


class WebClient:
    """The files under `directory`, by their path in it. Empty where it was not built."""

    def __init__(self, files: dict[str, File]) -> None:
        self._files = files

    @classmethod
    def load(cls, directory: Path) -> "WebClient":
        """Reads all of it (a few hundred kB): call it before the event loop has anything else to do."""
        found = sorted(path for path in directory.rglob("*") if path.is_file()) if directory.is_dir() else []
        return cls({path.relative_to(directory).as_posix(): File.read(path) for path in found})

    @property
    def built(self) -> bool:
        return "index.html" in self._files

    def add_to(self, app: web.Application) -> None:
        """Adds the pages and every file. `/assets/` holds what has a hash in its name."""
        for page in PAGES:
            app.router.add_get(page, self._page)
        app.router.add_get("/assets/{file:.+}", self._asset)
        for name in self._files:
            if not name.startswith("assets/") and name != "index.html":
                app.router.add_get(f"/{name}", self._other)
        app.router.add_get(ELSEWHERE, self._elsewhere)

    async def _page(self, request: web.Request) -> web.Response:
        if not self.built:
            return web.Response(status=503, text=_NOT_BUILT, content_type="text/html", headers=_HEADERS)
        response = self._files["index.html"].answer(request, "no-cache")
        response.headers.update(_HEADERS)
        return response

    async def _elsewhere(self, request: web.Request) -> web.Response:
        if not self.built or "text/html" not in request.headers.get("Accept", ""):
            raise web.HTTPNotFound
        response = await self._page(request)
        if response.status == 200:
            response.set_status(404)
        return response

    async def _asset(self, request: web.Request) -> web.Response:
        file = self._files.get(f"assets/{request.match_info['file']}")
        if file is None:
            raise web.HTTPNotFound
        return file.answer(request, "public, max-age=31536000, immutable")

    async def _other(self, request: web.Request) -> web.Response:
        return self._files[request.path.lstrip("/")].answer(request, "public, max-age=3600")
