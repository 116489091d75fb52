"""`/openapi.json` and `/docs`: the API's documentation, readable without any connection out."""

import json
from collections.abc import Iterable
from html import escape
from typing import Any

from aiohttp import web

from mcu.api.openapi import document
from mcu.api.routes import Route

CSP = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b }
code, pre { font: 14px/1.4 ui-monospace, monospace; background: #f3f4f6; border-radius: 4px; padding: .1em .3em }
pre { padding: .8em; overflow-x: auto } h2 { margin-top: 2.5rem } summary { cursor: pointer; padding: .4rem 0 }
details { border-bottom: 1px solid #d5d7db } table { border-collapse: collapse } td, th { text-align: left;
padding: .2rem .8rem .2rem 0; vertical-align: top } .method { display: inline-block; min-width: 5rem; font-weight: 700 }
"""


def add_docs(app: web.Application, routes: Iterable[Route]) -> None:
    """Serves both, made once."""
    described = document(routes)
    text = json.dumps(described, ensure_ascii=False)
    shown = page(described)

    async def openapi_json(_request: web.Request) -> web.Response:
        return web.Response(text=text, content_type="application/json")

    async def docs(_request: web.Request) -> web.Response:
        return web.Response(text=shown, content_type="text/html", headers={"Content-Security-Policy": CSP})

    app.router.add_route("GET", "/openapi.json", openapi_json)
    app.router.add_route("GET", "/docs", docs)


def page(described: dict[str, Any]) -> str:
    """One HTML page of the whole document, by tag. No script."""
    operations = [
        (path, method, one) for path, methods in described["paths"].items() for method, one in methods.items()
    ]
    tags = dict.fromkeys(one["tags"][0] for _, _, one in operations)
    sections = "".join(
        f"<h2>{escape(tag)}</h2>" + "".join(_operation(*one) for one in operations if one[2]["tags"] == [tag])
        for tag in tags
    )
    models = "".join(_model(name, schema) for name, schema in described["components"]["schemas"].items())
    about = f"<h1>{escape(described['info']['title'])}</h1><p>{escape(described['info']['description'])}</p>"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>API</title>'
        f"<style>{_STYLE}</style></head><body><main>{about}"
        '<p>For machines: <a href="/openapi.json">/openapi.json</a> (OpenAPI 3.1).</p>'
        f"{sections}<h2>Models</h2>{models}</main></body></html>"
    )


def _operation(path: str, method: str, one: dict[str, Any]) -> str:
    scopes = ", ".join(
        f"<code>{escape(' '.join(words) or kind)}</code>"
        for demand in one["security"]
        for kind, words in demand.items()
    )
    body = "".join(
        f"<p>Body: <code>{escape(kind)}</code> {_link(content['schema'])}</p>"
        for kind, content in one.get("requestBody", {}).get("content", {}).items()
    )
    return (
        f"<details><summary><span class=method>{method.upper()}</span> <code>{escape(path)}</code> "
        f"{escape(one['summary'])}</summary><p>{escape(one['description'])}</p>"
        f"<p>Needs: {scopes or 'nothing'}</p>{_parameters(one['parameters'])}{body}{_answers(one['responses'])}"
        "</details>"
    )


def _parameters(parameters: list[dict[str, Any]]) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(one['name'])}</code><td>{one['in']}{', required' if one['required'] else ''}"
        f"<td>{escape(one.get('description', ''))}"
        for one in parameters
    )
    return f"<table><tr><th>Parameter<th>In<th>Meaning{rows}</table>" if rows else ""


def _answers(responses: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{status}<td>{escape(one['description']).replace('`', '')}<td>"
        + "".join(_link(content["schema"]) for content in one.get("content", {}).values())
        for status, one in responses.items()
    )
    return f"<table><tr><th>Answer<th>Meaning<th>Body{rows}</table>"


def _link(schema: dict[str, Any]) -> str:
    name = schema.get("$ref", "").rpartition("/")[2]
    return f'<a href="#{escape(name)}">{escape(name)}</a>' if name else "text"


def _model(name: str, schema: dict[str, Any]) -> str:
    shown = escape(json.dumps(schema, indent=1, ensure_ascii=False))
    return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary><pre>{shown}</pre></details>'
