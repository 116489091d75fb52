"""The doctor's lines on the ways by which sound and picture come in: addresses, UDP, TCP, and relays where set."""

import ipaddress
from collections.abc import Iterator

from mcu.app.media import worker_options
from mcu.app.parts import relays
from mcu.cli.lines import Line, advice, fail, ok
from mcu.clock import Clock
from mcu.config.sections import Media, Turn
from mcu.media import capabilities
from mcu.media.transport.addresses import bound_addresses
from mcu.media.transport.relay_check import relay_problems


def media(wanted: Media, *, running: bool) -> Iterator[Line]:
    """Where browsers send media. `running`: a server of ours is, so that its ports are rightly taken."""
    unusable = capabilities.unusable_addresses(wanted.addresses)
    if unusable:
        yield fail("media", f"{', '.join(unusable)} is not of this machine: correct media.addresses")
        return
    bound = bound_addresses(wanted.addresses)
    yield families([*wanted.public_addresses, *(() if wanted.only_public_addresses else bound)])
    yield udp(wanted, [] if running else bound)
    yield tcp(wanted, [] if running else bound)


def families(offered: list[str]) -> Line:
    """What browsers are told to send to, by family: one that has the other alone does not get here."""
    parsed = [ipaddress.ip_address(address) for address in dict.fromkeys(offered)]
    if all(address.is_loopback for address in parsed):
        return advice("media", "only this machine's own browsers can send media: set media.addresses")
    said = []
    for version in (4, 6):
        of_it = ", ".join(str(address) for address in parsed if address.version == version)
        said.append(f"IPv{version} {of_it}" if of_it else f"no IPv{version}")
    return ok("media", f"browsers send to {'; '.join(said)}")


def udp(wanted: Media, bound: list[str]) -> Line:
    ports = [options.port for options in worker_options(wanted)]
    problem = capabilities.port_problem(bound, ports)
    if problem:
        return fail("media UDP", f"{problem}: free it, or set media.port")
    if not wanted.port:
        return advice("media UDP", "on any port that is free: set media.port where a firewall must be told")
    return ok("media UDP", f"{_ports_text(ports)} on each address")


def tcp(wanted: Media, bound: list[str]) -> Line:
    """A worker does not start without the port that is set; it does without the one that goes with UDP's."""
    ports = [options.tcp_port or options.port for options in worker_options(wanted)]
    problem = capabilities.port_problem(bound, ports, tcp=True)
    if problem and wanted.tcp_port:
        return fail("media TCP", f"{problem}: free it, or set media.tcp_port")
    if problem:
        return advice("media TCP", f"{problem}: who cannot send UDP cannot come here; free it, or set media.tcp_port")
    if not any(ports):
        return advice("media TCP", "on any port that is free: set media.tcp_port where a firewall must be told")
    return ok("media TCP", f"{_ports_text(ports)} on each address")


def _ports_text(ports: list[int]) -> str:
    return f"port {ports[0]}" if len(ports) == 1 else f"ports {ports[0]} to {ports[-1]}"


def turn(wanted: Turn, clock: Clock) -> Iterator[Line]:
    """A line for each address of the relay, tried from here as a browser would. Takes some five seconds at most."""
    for relay in relays(wanted, clock).offered():
        for url, problem in zip(relay.urls, relay_problems(relay.urls, relay.username, relay.credential), strict=True):
            yield fail("relay", f"{url} {problem}") if problem else ok("relay", f"{url} takes our credentials")
