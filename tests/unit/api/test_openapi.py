"""The document says what is served, and is the one that is committed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mcu.api.catalogue import ROUTES
from mcu.api.docs import page
from mcu.api.openapi import document

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return json.loads(json.dumps(document(ROUTES)))


def test_it_is_valid_openapi_3_1(described: dict[str, Any]) -> None:
    assert described["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(described).iter_errors()) == []


def test_the_committed_document_is_what_is_served(described: dict[str, Any]) -> None:
    """Made by `python -m mcu.api.openapi > docs/openapi.json`."""
    assert json.loads(COMMITTED.read_text()) == described


def test_every_operation_and_model_has_a_name_of_its_own(described: dict[str, Any]) -> None:
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)
    assert [name for name in described["components"]["schemas"] if "__" in name] == []


def test_every_operation_under_api_says_what_it_needs_and_how_it_fails(described: dict[str, Any]) -> None:
    for path, methods in described["paths"].items():
        for method, one in methods.items():
            assert one["summary"], (method, path)
            for status, answer in one["responses"].items():
                if int(status) >= 400:
                    assert set(answer["content"]) == {"application/problem+json"}, (method, path, status)


def request_fields(described: dict[str, Any]) -> Iterator[str]:
    """Every name that may stand in a request: of body fields at any depth, of parameters; and every fixed value."""
    for methods in described["paths"].values():
        for one in methods.values():
            yield from (parameter["name"] for parameter in one["parameters"])
            yield from names(described, one["parameters"])
            yield from names(described, one.get("requestBody", {}))


def names(described: dict[str, Any], node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from names(described, each)
    elif isinstance(node, dict):
        if "$ref" in node:
            yield from names(described, described["components"]["schemas"][node["$ref"].rpartition("/")[2]])
        yield from node.get("properties", {})
        yield from (str(value) for value in node.get("enum", []))
        yield from (names_inside for each in node.values() for names_inside in names(described, each))


@pytest.mark.policy("S5.3-3")
def test_nothing_that_can_be_asked_for_silences_hides_or_shortens_a_notice(described: dict[str, Any]) -> None:
    words = ("notice", "announc", "silent", "silence", "quiet", "tone", "chime", "beep", "sound", "hidden", "ghost",
             "invisible", "stealth", "threshold", "entry_", "exit_", "notify", "suppress")  # fmt: skip
    asked = set(request_fields(described))
    assert {"title", "page_size", "guest_pin", "layout", "speaker_with_tiles"} <= asked
    assert [name for name in sorted(asked) for word in words if word in name.lower()] == []


def test_the_page_shows_every_operation_and_needs_nothing_from_elsewhere(described: dict[str, Any]) -> None:
    shown = page(described)
    for path in described["paths"]:
        assert path in shown
    for foreign in ("http://", "https://", "<script", "@import", "url("):
        assert foreign not in shown.replace("https://json-schema.org", "")
