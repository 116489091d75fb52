"""Registering somewhere, as a telephone does (RFC 3261, section 10.2): one binding, kept alive. Pure.

`request` is sent, and its response told to `answered`, which says when to send the next.
"""

import secrets
from typing import Final

from mcu.protocol.sip.digest import Answerer
from mcu.protocol.sip.flow import Flow, contact, tag, via
from mcu.protocol.sip.grammar import Malformed, number
from mcu.protocol.sip.headers import Headers
from mcu.protocol.sip.message import HOPS, Request, Response
from mcu.protocol.sip.uri import SipUri
from mcu.protocol.sip.values import Address, parse_credentials

WANTED_S: Final = 600
LEAST_S: Final = 20.0  # between two of ours, whatever they grant
AGAIN_S: Final = 30.0  # after nothing, or what may pass
REFUSED_S: Final = 300.0  # after what will not pass by itself
_MOST_S: Final = 2**31
_TRIES: Final = 3  # at once: with credentials, with a longer time


class Registration:
    """One user's at one domain."""

    def __init__(self, domain: str, user: str, password: str) -> None:
        self.registered: bool | None = None  # None: nothing has been said yet
        self._domain, self._who = domain, Address(SipUri(domain, user))
        self._answerer = Answerer(user, password)
        self._call_id, self._tag = tag() + tag(), tag()
        self._cseq = secrets.randbelow(2**16)
        self._wanted_s = WANTED_S
        self._challenge = ""  # the field that answers it
        self._tries = 0

    def request(self, flow: Flow, *, ends: bool = False) -> Request:
        """The next REGISTER, by that way. `ends`: this binding."""
        self._cseq += 1
        target = str(SipUri(self._domain))
        answer = self._answerer.answer("REGISTER", target) if self._challenge else None
        fields = [
            ("Via", via(flow)),
            ("Max-Forwards", str(HOPS)),
            ("From", str(self._who.with_(tag=self._tag))),
            ("To", str(self._who)),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            ("Contact", contact(flow)),
            ("Expires", "0" if ends else str(self._wanted_s)),
            *([(self._challenge, answer)] if answer is not None else []),
        ]
        return Request("REGISTER", target, headers=Headers(fields))

    def answered(self, response: Response | None) -> float:
        """In how many seconds the next is due. `None`: there was no response."""
        self._tries += 1
        try:
            due = self._due(response)
        except Malformed:
            self.registered, due = False, AGAIN_S
        if due:
            self._tries = 0
        return due

    def _due(self, response: Response | None) -> float:
        if response is not None and response.is_success:
            self.registered = True
            return max(LEAST_S, self._granted(response) * 0.8)
        if response is not None and self._tries < _TRIES and self._can_do_better(response):
            return 0.0
        self.registered = False
        passes = response is None or response.status in (408, 500, 503, 504)
        return AGAIN_S if passes else REFUSED_S

    def _can_do_better(self, response: Response) -> bool:
        match response.status:
            case 401 | 407:
                asked, self._challenge = (
                    ("WWW-Authenticate", "Authorization")
                    if response.status == 401
                    else ("Proxy-Authenticate", "Proxy-Authorization")
                )
                return self._answerer.challenged(parse_credentials(text) for text in response.headers.all(asked))
            case 423:
                self._wanted_s = number(response.headers.one("Min-Expires") or "", _MOST_S, "Min-Expires")
                return True
        return False

    def _granted(self, response: Response) -> float:
        """What our Contact has of it, else what all have (section 10.2.4)."""
        said = [one.params.get("expires") for one in response.contacts]
        text = next((one for one in said if one), None) or response.headers.one("Expires") or str(self._wanted_s)
        return float(number(text, _MOST_S, "Expires"))
