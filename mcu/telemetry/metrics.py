"""Every figure that the server shows about itself, in Prometheus' text format.

Labels are ids of workers, templates of routes, and reasons out of our own code: never an id or a name of a person, a
meeting or a leg. Counters of a worker begin again at zero with the process; Prometheus knows that as a reset.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from mcu.telemetry.lateness import BOUNDS_MS

_REASONS = 64  # different reasons shown of a worker; they come from code and are few


_GAUGES = {"rooms": "Rooms that run.", "legs": "Legs in rooms, those on their way back included."}
_COUNTERS = {
    "ticks": "Mixer ticks of 20 ms.",
    "late_ticks": "Ticks later than 10 ms.",
    "audio_encodes": "Ticks of sound encoded.",
    "audio_decodes": "Packets of sound decoded.",
    "audio_coding_seconds": "Processor time of encoding and decoding sound.",
    "video_encodes": "Pictures encoded.",
    "frames_composed": "Pictures composed.",
    "cpu_seconds": "Processor time of media workers.",
}


_TRAFFIC = {
    "packets": "Datagrams of media, by direction.",
    "bytes": "Bytes in them.",
    "lost": "RTP packets that were lost: on the way in as we count, on the way out as far ends report.",
}
_MENDED = {
    "concealed": "Sound that was made up for what did not come in time.",
    "recovered": "Sound that was lost and came back in band.",
}


_SIP = {
    "calls": "Calls that are not over.",
    "transactions": "Transactions that are kept, most for repeats that may come.",
    "connections": "TCP and TLS connections.",
    "handshakes": "TLS handshakes of those who connect, that are not over.",
}


class Network(Protocol):
    """A worker's packets (`mcu.media.messages.NetworkReport`)."""

    @property
    def jitter_ms_in(self) -> float: ...
    @property
    def jitter_ms_out(self) -> float: ...
    @property
    def rtt_ms(self) -> float: ...


class Report(Protocol):
    """What a media worker says of itself once a second (`mcu.media.messages.WorkerReport`)."""

    @property
    def rooms(self) -> int: ...
    @property
    def legs(self) -> int: ...
    @property
    def ticks(self) -> int: ...
    @property
    def late_ticks(self) -> int: ...
    @property
    def audio_encodes(self) -> int: ...
    @property
    def video_encodes(self) -> int: ...
    @property
    def frames_composed(self) -> int: ...
    @property
    def dropped(self) -> Mapping[str, int]: ...
    @property
    def cpu_seconds(self) -> float: ...
    @property
    def tick_late_ms(self) -> Sequence[int]: ...
    @property
    def loop_late_ms(self) -> Sequence[int]: ...
    @property
    def audio_decodes(self) -> int: ...
    @property
    def audio_coding_seconds(self) -> float: ...
    @property
    def network(self) -> Network: ...


class Signalling(Protocol):
    """SIP's front end."""

    @property
    def calls(self) -> int: ...
    @property
    def transactions(self) -> int: ...
    @property
    def connections(self) -> int: ...
    @property
    def handshakes(self) -> int: ...
    @property
    def dropped(self) -> Mapping[str, int]: ...
    @property
    def trunks(self) -> Mapping[str, bool]: ...


class Metrics:
    """The registry of this process, and one method for each thing that happens."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._reports: dict[str, Report] = {}
        self._registry.register(_Workers(self._reports))
        self._alive = Gauge("mcu_workers_alive", "Media workers that answer.", registry=self._registry)
        self._restarts = Counter(
            "mcu_worker_restarts", "Media workers that died and were started again.", registry=self._registry
        )
        self._requests = Counter(
            "mcu_http_requests",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "mcu_http_request_seconds", "Time to answer an HTTP request.", ("route",), registry=self._registry
        )
        self._loop_lag = Histogram(
            "mcu_event_loop_lag_seconds",
            "How late the control process' event loop runs what is due.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1),
            registry=self._registry,
        )
        self._dropped = Counter(
            "mcu_control_dropped",
            "What the control process let go because its bound was reached, by reason.",
            ("reason",),
            registry=self._registry,
        )
        self._restarts.inc(0)

    def worker_reported(self, slot: str, report: Report) -> None:
        """The latest report of the worker in this slot; a slot keeps its name when its worker is started again."""
        self._reports[slot] = report

    def worker_died(self, slot: str) -> None:
        """Its rooms and legs are no more."""
        self._reports.pop(slot, None)

    def worker_restarted(self) -> None:
        self._restarts.inc()

    def workers_alive(self, count: int) -> None:
        self._alive.set(count)

    def request_answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """`route` is the template (`/meetings/{id}`), not the path: a path may hold a number or a token."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def control_dropped(self, reason: str) -> None:
        """`reason` comes from code."""
        self._dropped.labels(reason).inc()

    def loop_lagged(self, seconds: float) -> None:
        self._loop_lag.observe(seconds)

    def sip_is(self, signalling: Signalling) -> None:
        """Shows this server's SIP."""
        self._registry.register(_Sip(signalling))

    def exposition(self) -> bytes:
        """All of it, in the text format that Prometheus reads."""
        return generate_latest(self._registry)


class _Workers(Collector):
    """Shows the latest report of each worker."""

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self._reports = reports

    def collect(self) -> Iterable[Metric]:
        reports = list(self._reports.items())
        for name, text in _GAUGES.items():
            gauge = GaugeMetricFamily(f"mcu_{name}", text, labels=["worker"])
            for slot, report in reports:
                gauge.add_metric([slot], getattr(report, name))
            yield gauge
        for name, text in _COUNTERS.items():
            counter = CounterMetricFamily(f"mcu_{name}", text, labels=["worker"])
            for slot, report in reports:
                counter.add_metric([slot], getattr(report, name))
            yield counter
        yield from _network([(slot, report.network) for slot, report in reports])
        yield _dropped(reports)
        yield _lateness(
            "mcu_tick_lateness_seconds",
            "How late the sound of ticks was handed over.",
            [(slot, report.tick_late_ms) for slot, report in reports],
        )
        yield _lateness(
            "mcu_worker_loop_lag_seconds",
            "How long what was decoded in a tick waited for the worker's event loop.",
            [(slot, report.loop_late_ms) for slot, report in reports],
        )


class _Sip(Collector):
    """What there is of SIP, and what of it was not listened to."""

    def __init__(self, signalling: Signalling) -> None:
        self._signalling = signalling

    def collect(self) -> Iterable[Metric]:
        for name, text in _SIP.items():
            yield GaugeMetricFamily(f"mcu_sip_{name}", text, getattr(self._signalling, name))
        dropped = CounterMetricFamily("mcu_sip_dropped", "Of SIP, what was dropped, by reason.", labels=["reason"])
        for reason, count in sorted(self._signalling.dropped.items()):
            dropped.add_metric([reason], count)
        yield dropped
        up = GaugeMetricFamily("mcu_sip_trunk_up", "Trunks that answer, and are registered.", labels=["trunk"])
        for name, well in self._signalling.trunks.items():
            up.add_metric([name], well)
        yield up


def _network(reports: list[tuple[str, Network]]) -> Iterable[Metric]:
    for name, text in _TRAFFIC.items():
        family = CounterMetricFamily(f"mcu_network_{name}", text, labels=["worker", "direction"])
        for slot, network in reports:
            for direction in ("in", "out"):
                family.add_metric([slot, direction], getattr(network, f"{name}_{direction}"))
        yield family
    for name, text in _MENDED.items():
        mended = CounterMetricFamily(f"mcu_sound_{name}_seconds", text, labels=["worker"])
        for slot, network in reports:
            mended.add_metric([slot], getattr(network, f"{name}_ms") / 1000)
        yield mended
    yield from _means(reports)


def _means(reports: list[tuple[str, Network]]) -> Iterable[Metric]:
    jitter = GaugeMetricFamily(
        "mcu_jitter_seconds", "Jitter of the streams of now, their mean (RFC 3550).", labels=["worker", "direction"]
    )
    rtt = GaugeMetricFamily("mcu_rtt_seconds", "Round trip to the legs of now, their mean.", labels=["worker"])
    for slot, network in reports:
        jitter.add_metric([slot, "in"], network.jitter_ms_in / 1000)
        jitter.add_metric([slot, "out"], network.jitter_ms_out / 1000)
        rtt.add_metric([slot], network.rtt_ms / 1000)
    yield jitter
    yield rtt


def _dropped(reports: list[tuple[str, Report]]) -> Metric:
    family = CounterMetricFamily("mcu_dropped", "What was dropped, by reason.", labels=["worker", "reason"])
    for slot, report in reports:
        for reason, count in sorted(report.dropped.items())[:_REASONS]:
            family.add_metric([slot, reason], count)
    return family


def _lateness(name: str, text: str, reports: list[tuple[str, Sequence[int]]]) -> Metric:
    family = HistogramMetricFamily(name, text, labels=["worker"])
    for slot, late_ms in reports:
        total, buckets = 0, []
        bounds = [str(bound / 1000) for bound in BOUNDS_MS] + ["+Inf"]
        for bound, count in zip(bounds, late_ms, strict=True):
            total += count
            buckets.append((bound, total))
        family.add_metric([slot], buckets, sum_value=None)
    return family
