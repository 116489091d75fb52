"""What each media worker is told of the settings: addresses and bounds, ports of its own, a share of the cores."""

import os
from collections.abc import Iterable
from pathlib import Path

from mcu.config.organisations import Organisation
from mcu.config.sections import Media
from mcu.media.prompts import check
from mcu.media.transport.options import MediaOptions


def worker_options(
    media: Media, prompts: Path | None = None, organisations: Iterable[Organisation] = ()
) -> list[MediaOptions]:
    """One for each worker, by slot. `prompts`: an operator's recordings; organisations may have their own.

    Raises `PromptsUnusable`.
    """
    if media.rtp_first_port:  # there are telephones
        check([*([prompts] if prompts else []), *(one.prompts for one in organisations if one.prompts)])
    voices = {one.id: str(one.prompts.absolute()) for one in organisations if one.prompts}
    return [
        MediaOptions(
            addresses=media.addresses,
            port=media.port + slot if media.port else 0,
            tcp_port=media.tcp_port + slot if media.tcp_port else 0,
            public=media.public_addresses,
            only_public=media.only_public_addresses,
            rtp_ports=_share(media, slot),
            rtp_lost_s=media.rtp_lost_s,
            prompts=str(prompts.absolute()) if prompts else "",
            voices=voices,
            memory_mb=media.worker_memory_mb,
            cores=media.worker_cores or len(os.sched_getaffinity(0)) / media.workers,
        )
        for slot in range(media.workers)
    ]


def _share(media: Media, slot: int) -> tuple[int, int]:
    """A worker's part of the range: whole pairs of RTP and RTCP, none in two parts."""
    if not media.rtp_first_port:
        return (0, 0)
    first = media.rtp_first_port + media.rtp_first_port % 2
    pairs = (media.rtp_last_port + 1 - first) // 2 // media.workers
    return (first + 2 * pairs * slot, first + 2 * pairs * (slot + 1) - 1)
