"""The pages: one page, its files, what browsers may keep, and what is said when nothing is built."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from mcu.app.pages import WebClient

Client = TestClient[web.Request, web.Application]
SCRIPT = b"console.log('hello')\n" * 100


async def client_of(directory: Path) -> Client:
    app = web.Application()
    WebClient.load(directory).add_to(app)
    client: Client = TestClient(TestServer(app), auto_decompress=False)
    await client.start_server()
    return client


@pytest.fixture
async def built(tmp_path: Path) -> AsyncIterator[Client]:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Möte</title>", "utf-8")
    (tmp_path / "assets" / "main-abc123.js").write_bytes(SCRIPT)
    (tmp_path / "icon.svg").write_text("<svg/>")
    client = await client_of(tmp_path)
    yield client
    await client.close()


@pytest.mark.parametrize("path", ["/", "/j/482915370"])
async def test_both_addresses_show_the_page_and_it_is_asked_for_each_time(built: Client, path: str) -> None:
    answer = await built.get(path)
    assert answer.status == 200
    assert "Möte" in await answer.text()
    assert answer.content_type == "text/html"
    assert answer.headers["Cache-Control"] == "no-cache"


async def test_the_page_may_load_nothing_from_elsewhere_and_may_use_camera_and_microphone(built: Client) -> None:
    headers = (await built.get("/")).headers
    rules = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in rules
    assert "script-src 'self'" in rules
    assert "http" not in headers["Content-Security-Policy"]
    assert "camera=(self)" in headers["Permissions-Policy"]


async def test_a_file_with_a_hash_in_its_name_is_kept_for_ever(built: Client) -> None:
    answer = await built.get("/assets/main-abc123.js")
    assert answer.content_type == "text/javascript"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


async def test_a_file_is_sent_packed_to_who_can_unpack_it_alone(built: Client) -> None:
    packed = await built.get("/assets/main-abc123.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await packed.read()) == SCRIPT
    plain = await built.get("/assets/main-abc123.js", headers={"Accept-Encoding": "identity"})
    assert "Content-Encoding" not in plain.headers
    assert await plain.read() == SCRIPT


async def test_a_browser_that_has_the_page_is_told_so(built: Client) -> None:
    etag = (await built.get("/")).headers["ETag"]
    again = await built.get("/", headers={"If-None-Match": etag})
    assert (again.status, await again.read()) == (304, b"")


async def test_other_files_are_served_by_name(built: Client) -> None:
    assert (await built.get("/icon.svg")).content_type == "image/svg+xml"


@pytest.mark.parametrize(
    "path", ["/assets/nothing.js", "/assets/../index.html", "/assets/..%2findex.html", "/j/abc", "/x"]
)
async def test_nothing_else_is_served(built: Client, path: str) -> None:
    assert (await built.get(path)).status == 404


@pytest.mark.parametrize("path", ["/j/12345678", "/x", "/möte"])
async def test_a_person_whose_address_is_wrong_is_told_so_by_the_page(built: Client, path: str) -> None:
    answer = await built.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
    assert answer.status == 404
    assert "Möte" in await answer.text()
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    api = await built.get("/api/v1/x", headers={"Accept": "text/html"})
    assert (api.status, api.content_type) == (404, "text/plain")


async def test_without_a_built_client_the_page_says_how_to_build_it_in_both_languages(tmp_path: Path) -> None:
    client = await client_of(tmp_path / "nothing")
    answer = await client.get("/j/482915370")
    text = await answer.text()
    assert answer.status == 503
    assert "make web" in text
    assert "inte byggd" in text
    await client.close()
