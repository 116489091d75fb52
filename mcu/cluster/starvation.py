"""Whether a silent process hangs or is merely kept waiting for a processor, by the kernel's own count.

A starved worker is not dead: to start another on the same overloaded machine would end meetings and help nobody.
"""

from pathlib import Path


class RunQueue:
    """How long a process' main thread has waited for a processor: the second field of /proc/PID/schedstat, in ns."""

    def __init__(self, pid: int, proc: Path = Path("/proc")) -> None:
        self._file = proc / str(pid) / "schedstat"
        self._last = self._read()

    def waited_s(self) -> float:
        """Seconds since this was last asked; 0 where the kernel does not say."""
        last, self._last = self._last, self._read()
        return max(0, self._last - last) / 1e9

    def _read(self) -> int:
        try:
            return int(self._file.read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return 0
