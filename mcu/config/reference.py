"""Prints docs/configuration.md from the settings themselves: `python -m mcu.config.reference`."""

from inspect import cleandoc
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from mcu.config.fields import Section
from mcu.config.settings import PREFIX, lists, sections

_HEAD = """\
# Configuration

Settings are read from the TOML file that `--config` or `MCU_CONFIG` names, else from `mcu.toml` in the working
directory if there is one. An environment variable goes before the file: `server.port` is `MCU_SERVER__PORT`. A list is
written with commas there. A name that is not in this reference stops the server, which says what the nearest one is.

`MCU_URL` and `MCU_TOKEN` are no settings: they tell `mcu meeting` which server to ask, and with which token.

No setting silences a notice.
"""

_COMPUTED = {  # defaults that depend on the machine
    "data.directory": "`~/.local/share/mcu`",
    "media.workers": "one per core",
}


def reference() -> str:
    """The whole page, as Markdown."""
    tables = (_table(name, table, "##") for name, table in lists().items())
    return "\n".join([_HEAD, *(_section(name, section) for name, section in sections().items()), *tables])


def _section(name: str, section: type[Section]) -> str:
    rows = "\n".join(_row(name, key, field) for key, field in section.model_fields.items())
    tables = [_table(f"{name}.{key}", kind) for key, field in section.model_fields.items() if (kind := _kind(field))]
    return "\n".join([_page(name, section, rows), *tables])


def _kind(field: FieldInfo) -> type[Section] | None:
    """What a list of tables has in it."""
    kinds = [one for one in getattr(field.annotation, "__args__", ()) if isinstance(one, type)]
    return next((one for one in kinds if issubclass(one, Section)), None)


def _table(name: str, section: type[Section], heading: str = "###") -> str:
    rows = "\n".join(
        f"| `{key}` | {_default(f'{name}.{key}', field)} | {_meaning(field)} |"
        for key, field in section.model_fields.items()
    )
    return f"""\
{heading} [[{name}]]

{cleandoc(section.__doc__ or "")}

| setting | default | what it is |
|---|---|---|
{rows}
"""


def _page(name: str, section: type[Section], rows: str) -> str:
    return f"""\
## [{name}]

{cleandoc(section.__doc__ or "")}

| setting | environment | default | what it is |
|---|---|---|---|
{rows}
"""


def _row(section: str, key: str, field: FieldInfo) -> str:
    name = f"{section}.{key}"
    return f"| `{key}` | `{PREFIX}{section.upper()}__{key.upper()}` | {_default(name, field)} | {_meaning(field)} |"


def _meaning(field: FieldInfo) -> str:
    limits = ", ".join(text for text in map(_limit, field.metadata) if text)
    secret = " Never printed." if SecretStr in getattr(field.annotation, "__args__", ()) else ""
    return f"{field.description}{f' ({limits})' if limits else ''}{secret}"


def _limit(rule: Any) -> str:
    for attribute, sign in (("ge", "≥"), ("le", "≤")):
        if hasattr(rule, attribute):
            return f"{sign} {getattr(rule, attribute)}"
    return ""


def _default(name: str, field: FieldInfo) -> str:
    if field.is_required():
        return "to be set"
    if name in _COMPUTED:
        return _COMPUTED[name]
    if field.default in (None, (), ""):
        return "–"
    return f"`{field.default}`"


if __name__ == "__main__":
    print(reference(), end="")
