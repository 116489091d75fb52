#!/usr/bin/env python3
"""Writes what of docs/ is made from the code, so that it is true; with --check, says what is no longer so.

- architecture.md: the drawings between its markers, from the import contracts and the table of a leg's life
- policy.md: from docs/policy.toml and the marks on the tests
- configuration.md: from the settings
- openapi.json: from the routes and their models
"""

import argparse
import ast
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mcu.media.life import TRANSITIONS, LegState

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
REPOSITORY_LINK = "../"


def layers(contracts: list[dict[str, Any]]) -> str:
    """The layers contract as a mermaid drawing: one row a layer, an arrow to what it may import."""
    rows = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    lines = ["```mermaid", "flowchart TB"]
    for number, row in enumerate(rows):
        names = [name.strip().removeprefix("mcu.") for name in row.split("|")]
        boxes = "\n".join(f"        {name}[{name}]" for name in names)
        lines.append(f'    subgraph layer{number}[" "]\n        direction LR\n{boxes}\n    end')
        if number:
            lines.append(f"    layer{number - 1} --> layer{number}")
    return "\n".join([*lines, "```"])


def libraries(contracts: list[dict[str, Any]]) -> str:
    """The contracts on libraries, as a table."""
    lines = ["| contract | libraries | who may |", "|---|---|---|"]
    for contract in contracts:
        if contract["type"] == "forbidden":
            forbidden = ", ".join(f"`{name}`" for name in contract["forbidden_modules"])
            lines.append(f"| {contract['name']} | {forbidden} | {who_may(contract)} |")
    return "\n".join(lines)


def who_may(contract: dict[str, Any]) -> str:
    """Import what it forbids: those that it names, or all but those that it is about."""
    named = dict.fromkeys(entry.split(" -> ")[0].removesuffix(".**") for entry in contract.get("ignore_imports", []))
    if named:
        return ", ".join(f"`{name}`" for name in named)
    return "all but " + ", ".join(f"`{name}`" for name in contract["source_modules"])


def leg_states() -> str:
    """The table of a leg's life as a mermaid state diagram."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {LegState.CONNECTING}"]
    for state, after in TRANSITIONS.items():
        lines += [f"    {state} --> {target}: {event}" for event, target in after.items()]
    return "\n".join([*lines, f"    {LegState.GONE} --> [*]", "```"])


def replaced(text: str, begin: str, part: str, end: str) -> str:
    """The text with what is between two markers made new."""
    before, began, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not began or not ended:
        raise SystemExit(f"docs/architecture.md must have {begin} … {end}")
    return f"{before}{begin}\n{part}\n{end}{after}"


def architecture() -> str:
    """The page as it stands, with each marked part made again."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    parts = {"layers": layers(contracts), "libraries": libraries(contracts), "leg-states": leg_states()}
    text = (DOCS / "architecture.md").read_text()
    for name, part in parts.items():
        text = replaced(text, f"<!-- generated: {name} -->", part, f"<!-- end: {name} -->")
    return text


def proofs() -> dict[str, set[str]]:
    """Row → tests marked with it, as path::name. Read, not run: a mark stands on a test, or on the class of some."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        for statement in ast.walk(ast.parse(path.read_text())):
            for row in rows_on(statement):
                found[row].add(f"{path.relative_to(ROOT)}::{name_of(statement)}")
    return found


def rows_on(statement: ast.AST) -> Iterator[str]:
    """The rows that a function, a class or an assignment (`TestX = mark(Machine.TestCase)`) is marked with."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            marks: list[ast.expr] = statement.decorator_list
        case ast.Assign(value=ast.Call(func=ast.Call() as call)):
            marks = [call]
        case _:
            return
    for mark in marks:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.policy":
            yield from (ast.literal_eval(argument) for argument in mark.args)


def name_of(statement: ast.AST) -> str:
    match statement:
        case ast.Assign(targets=[target]):
            return ast.unparse(target)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case _:
            raise TypeError(f"{statement} has no name")


def policy() -> str:
    """Every row of docs/policy.toml with the tests that prove it, or a red mark."""
    rows: dict[str, dict[str, str]] = tomllib.loads((DOCS / "policy.toml").read_text())
    proved = proofs()
    if unknown := sorted(proved.keys() - rows.keys()):
        raise SystemExit(f"tests are marked with rows that docs/policy.toml does not have: {', '.join(unknown)}")
    return "\n".join([_POLICY_HEAD, *policy_rows(rows, proved)]) + "\n"


def policy_rows(rows: dict[str, dict[str, str]], proved: dict[str, set[str]]) -> Iterator[str]:
    yield f"{sum(bool(proved.get(row)) for row in rows)} of {len(rows)} rows are proved by at least one test.\n"
    for row, about in rows.items():
        yield f"## {'🟢' if proved.get(row) else '🔴'} {row}: {about['title']}\n\n{about['promise']}\n"
        for proof in sorted(proved.get(row, ())):
            path, _, name = proof.partition("::")
            yield f"- [{name.replace('::', ', ').replace('_', ' ')}]({REPOSITORY_LINK}{path})"
        yield "" if proved.get(row) else "**Nothing proves this yet.**\n"


_POLICY_HEAD = """\
# What the service's rules ask, and which tests prove it

Made by `scripts/docs.py` from `docs/policy.toml` and from the tests marked `@pytest.mark.policy("…")`. Green: a
test proves it, and CI runs it on every change. Red: nothing does, so do not rely on it.
"""


def printed_by(module: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", module], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout


PAGES: dict[str, Callable[[], str]] = {
    "architecture.md": architecture,
    "policy.md": policy,
    "configuration.md": lambda: printed_by("mcu.config.reference"),
    "openapi.json": lambda: printed_by("mcu.api.openapi"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where something is not current")
    check = parser.parse_args().check
    stale = []
    for name, make in PAGES.items():
        path, text = DOCS / name, make()
        if path.exists() and path.read_text() == text:
            continue
        stale.append(f"docs/{name}")
        if not check:
            path.write_text(text)
    if stale:
        print(f"{'not current' if check else 'written'}: {', '.join(stale)}")
    return bool(stale) and check


if __name__ == "__main__":
    sys.exit(main())
