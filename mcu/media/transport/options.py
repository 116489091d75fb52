"""Where a worker takes media, what browsers are told of it, and what it may take: what it is started with. Pure."""

import msgspec


class MediaOptions(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses, ports and bounds of one worker."""

    addresses: tuple[str, ...] = ()  # to bind; empty: all of this machine's
    port: int = 0  # UDP, of all browsers' legs; 0: any that is free
    tcp_port: int = 0  # for browsers that cannot send UDP; 0: the same number, where it is free
    public: tuple[str, ...] = ()  # that a NAT maps to ours, port for port
    only_public: bool = False  # our own are not offered
    rtp_ports: tuple[int, int] = (0, 0)  # first and last of those for legs that have ports of their own; 0: none
    rtp_lost_s: int = 30  # such a leg that says nothing for so long is lost
    prompts: str = ""  # a folder with an operator's recordings, which go before the built ones
    voices: dict[str, str] = {}  # folders of organisations' own, by organisation, which go before that one
    memory_mb: int = 2048  # that it may keep: mcu.media.walls
    cores: float = 1.0  # that its rooms may cost, by the model of `cost`, before a personal view is refused

    def as_argument(self) -> str:
        """For the worker's command line."""
        return msgspec.json.encode(self).decode()


def options_from(argument: str) -> MediaOptions:
    """What `as_argument` wrote. Raises `ValueError`."""
    return msgspec.json.decode(argument, type=MediaOptions)
