"""The organisations that share this server, as the settings have them; where there are none, all is one.

What an organisation has of numbers and domains says whose a call is: by what was dialled.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mcu.booking.meeting import Language


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """See `mcu.config.organisations`. `None`: as the server has it."""

    id: str
    name: str
    domains: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()  # of its numbers: E.164
    language: Language | None = None
    call_control: str = ""  # the SIP URI of its own system; "": its endpoints are ours
    encrypted: bool = True
    trunks: tuple[str, ...] = ()  # that its meetings call by; none: all
    calls_out_max: int
    calls_out_per_hour: int


class Organisations:
    """All of them, in the order of the settings."""

    def __init__(self, organisations: Iterable[Organisation] = ()) -> None:
        self._by_id = {one.id: one for one in organisations}
        self._by_domain = {domain: one for one in self._by_id.values() for domain in one.domains}

    def __iter__(self) -> Iterator[Organisation]:
        return iter(self._by_id.values())

    def get(self, name: str) -> Organisation | None:
        """None for "" and for one that the settings have no more."""
        return self._by_id.get(name)

    def at(self, domain: str) -> Organisation | None:
        return self._by_domain.get(domain.lower())

    def elsewhere(self, domain: str) -> Organisation | None:
        """Whose domain it is, where that one has a call control of its own."""
        found = self.at(domain)
        return found if found is not None and found.call_control else None

    def with_number(self, number: str) -> Organisation | None:
        """Whose E.164 number it is: the longest prefix decides."""
        return next((one for _, one in self.prefixes_of(number)), None)

    def prefixes_of(self, number: str) -> list[tuple[str, Organisation]]:
        """Those with which it begins, the longest first, each with whose it is."""
        found = [(prefix, one) for one in self for prefix in one.prefixes if number.startswith(prefix)]
        return sorted(found, key=lambda one: -len(one[0]))


NONE: Final = Organisations()
