"""A real SIP proxy, with the script that a test wants."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from running_server import wait_for

_HEAD = """
debug=1
log_stderror=yes
children=1
tcp_children=1
mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
loadmodule "sl.so"
loadmodule "tm.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
"""
IN_CALLS = """
    if (has_totag()) {
        if (loose_route()) { t_relay(); }
        else if (is_method("ACK") && t_check_trans()) { t_relay(); }
        exit;
    }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
"""


@contextlib.contextmanager
def kamailio(directory: Path, script: str, udp_port: int) -> Iterator[Path]:
    """Its log. `script`: what it listens on, `udp_port` on 127.0.0.1 among it, more modules, and its routes."""
    config, log = directory / "kamailio.cfg", directory / "kamailio.log"
    config.write_text(_HEAD + script)
    words = ["kamailio", "-DD", "-E", "-f", str(config), "-Y", str(directory), "-m", "16", "-M", "4"]
    with log.open("wb") as writer:
        process = subprocess.Popen(words, stdout=writer, stderr=writer)
    try:
        wait_for(lambda: f":{udp_port:04X}" in Path("/proc/net/udp").read_text())
        yield log
    finally:
        process.terminate()
        process.wait(20)
