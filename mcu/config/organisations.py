"""The setting of organisations that share a server: `[[organisations]]`, a list of tables in no section."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from mcu.config.fields import Domain, Prefix, Section


class Organisation(Section):
    """One of several organisations that share this server, each with what is its own; unless any is set, all is one.

    What is booked with a token of an organisation (`mcu token --organisation`) is its own, and no token of another sees
    or changes it. A token of none is the operator's, who sees all: it must allow `admin`.
    """

    id: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,39}$", description="In tokens, in the API and in logs. It stays: bookings hold it."
    )
    name: str = Field(min_length=1, max_length=100, description="As people know it.")
    domains: tuple[Domain, ...] = Field(
        (),
        description="Its SIP domains: what is dialled there is dialled at it. Its meetings' addresses have the first.",
    )
    prefixes: tuple[Prefix, ...] = Field(
        (), description="What its telephone numbers begin with, as `+46…`: the longest that fits says whose one is."
    )
    language: Literal["sv", "en"] | None = Field(
        None, description="In which the voice menu begins at its numbers and domains; by default `sip.language`."
    )
    call_control: str = Field(
        "",
        pattern=r"^(sips?:([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(;transport=(udp|tcp|tls))?)?$",
        description="Where its own SIP system is, `sip:host:port;transport=tls`: what is called at its domains and "
        "numbers is called there. By default its endpoints are this server's.",
    )
    encryption: Literal["required", "offered"] = Field(
        "required",
        description="Of calls to its numbers, domains and meetings, and of those that its meetings make. Calls by a "
        "trunk are as the trunk's `encryption` says.",
    )
    prompts: Path | None = Field(
        None, description="Folder with recordings of its own, laid out as `sip.prompts`, which they go before."
    )
    trunks: tuple[str, ...] = Field((), description="By name: that its meetings may call over; by default all.")
    calls_out_max: int = Field(10, ge=0, le=10_000, description="Calls that its meetings may make at a time.")
    calls_out_per_hour: int = Field(
        100, ge=0, le=1_000_000, description="And in an hour. What `sip` says of all holds too."
    )

    @model_validator(mode="after")
    def _called_somewhere(self) -> Self:
        if self.call_control and not self.domains:
            raise ValueError("call_control needs domains")
        return self
