"""The doctor's lines on trunks: does each of their hosts answer?"""

import asyncio
from collections.abc import Iterator

from mcu.app.sip import client_of, dns_server_of, trunk_of
from mcu.app.sockets import BadCertificate
from mcu.cli.lines import Line, advice, fail, ok
from mcu.clock import Clock
from mcu.config.sip import Sip
from mcu.net.sip.driver import Driver
from mcu.net.sip.endpoint import Listen
from mcu.net.sip.names import Names
from mcu.protocol.sip.events import Answered, Event
from mcu.protocol.sip.gate import Gate, Limits
from mcu.signalling.sip.roads import Roads
from mcu.signalling.sip.trunk_keeper import TrunkKeeper
from mcu.signalling.sip.trunks import Trunk, Trunks


def trunks(sip: Sip, clock: Clock) -> Iterator[Line]:
    """One for each. Ports of any number are taken for the asking, so that a server of ours may run."""
    if not sip.trunks:
        return
    if not sip.addresses:
        yield advice("trunks", "they are not used: set sip.addresses")
        return
    yield from asyncio.run(_asked(sip, clock))


async def _asked(sip: Sip, clock: Clock) -> list[Line]:
    known = Trunks(trunk_of(one) for one in sip.trunks)
    try:
        client = client_of(sip)
    except BadCertificate as error:
        return [fail("trunks", error.detail)]
    listen = Listen(addresses=sip.addresses, port=0, tls_port=0, client=client, name=sip.name)
    gate = Gate(Limits(), clock.monotonic(), lambda _host: True)
    driver = Driver(listen, gate, clock, lambda event: _happened(keeper, event), lambda _flow: None)
    keeper = TrunkKeeper(Roads(known, driver, Names(dns_server_of(sip))), driver)
    try:
        await driver.start()
    except OSError as error:
        return [fail("trunks", f"sip.addresses cannot be used ({error.strerror}): set those of this machine")]
    try:
        return [await _line(keeper, one) for one in known.all]
    finally:
        await driver.close()


def _happened(keeper: TrunkKeeper, event: Event) -> None:
    if isinstance(event, Answered):
        keeper.answered(event)


async def _line(keeper: TrunkKeeper, trunk: Trunk) -> Line:
    reasons = await asyncio.gather(*(keeper.missing(trunk, host) for host in trunk.hosts))
    silent = [f"{host}: {why}" for host, why in zip(trunk.hosts, reasons, strict=True) if why]
    what = f"trunk {trunk.name}"
    if not silent:
        return ok(what, f"it answers, by {trunk.transport.upper()}")
    told = f"{'; '.join(silent)} (by {trunk.transport.upper()}): check its hosts, transport and a firewall"
    return fail(what, told) if len(silent) == len(trunk.hosts) else advice(what, told)
