"""The metrics: what is counted, and that nobody can be recognised in them."""

from types import SimpleNamespace

from prometheus_client.parser import text_string_to_metric_families

from mcu.media.messages import NetworkReport, WorkerReport
from mcu.telemetry.lateness import BOUNDS_MS
from mcu.telemetry.metrics import Metrics


def report(**changed: object) -> WorkerReport:
    figures: dict[str, object] = {
        "rooms": 2,
        "legs": 7,
        "ticks": 100,
        "late_ticks": 3,
        "audio_encodes": 40,
        "video_encodes": 30,
        "frames_composed": 20,
        "dropped": {"jitter_late": 5},
        "cpu_seconds": 1.5,
        "audio_coding_seconds": 0.25,
        "tick_late_ms": [90, 3, 2, 2, 1, 1, 1],
        "loop_late_ms": [99, 0, 0, 0, 1, 0, 0],
    }
    return WorkerReport(**{**figures, **changed})  # type: ignore[arg-type]


def figures(metrics: Metrics) -> dict[str, float]:
    """Every sample by `name{value of each label, in order of the labels' names}`."""
    return {
        f"{sample.name}{{{','.join(value for _, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(metrics.exposition().decode())
        for sample in family.samples
    }


def test_a_workers_report_is_shown_by_its_slot() -> None:
    metrics = Metrics()
    metrics.worker_reported("0", report())
    metrics.worker_reported("1", report(legs=1))
    shown = figures(metrics)
    assert shown["mcu_rooms{0}"] == 2
    assert (shown["mcu_legs{0}"], shown["mcu_legs{1}"]) == (7, 1)
    assert shown["mcu_late_ticks_total{0}"] == 3
    assert shown["mcu_video_encodes_total{0}"] == 30
    assert shown["mcu_dropped_total{jitter_late,0}"] == 5
    assert shown["mcu_cpu_seconds_total{0}"] == 1.5
    assert shown["mcu_audio_coding_seconds_total{0}"] == 0.25


def test_a_workers_packets_are_shown_by_direction() -> None:
    metrics = Metrics()
    network = NetworkReport(
        packets_in=10, packets_out=20, bytes_in=1000, bytes_out=2000, lost_in=1, lost_out=2,
        jitter_ms_in=3, jitter_ms_out=4, rtt_ms=50, concealed_ms=60, recovered_ms=40,
    )  # fmt: skip
    metrics.worker_reported("0", report(network=network))
    shown = figures(metrics)
    shown_of_packets = {
        name: figure
        for name, figure in shown.items()
        if name.startswith(("mcu_network", "mcu_jitter", "mcu_rtt", "mcu_sound")) and "created" not in name
    }
    assert shown_of_packets == {
        "mcu_network_packets_total{in,0}": 10,
        "mcu_network_packets_total{out,0}": 20,
        "mcu_network_bytes_total{in,0}": 1000,
        "mcu_network_bytes_total{out,0}": 2000,
        "mcu_network_lost_total{in,0}": 1,
        "mcu_network_lost_total{out,0}": 2,
        "mcu_jitter_seconds{in,0}": 0.003,
        "mcu_jitter_seconds{out,0}": 0.004,
        "mcu_rtt_seconds{0}": 0.05,
        "mcu_sound_concealed_seconds_total{0}": 0.06,
        "mcu_sound_recovered_seconds_total{0}": 0.04,
    }


def test_lateness_is_a_cumulative_histogram_in_seconds() -> None:
    metrics = Metrics()
    metrics.worker_reported("0", report())
    shown = figures(metrics)
    bounds = [str(ms / 1000) for ms in BOUNDS_MS]
    assert [shown[f"mcu_tick_lateness_seconds_bucket{{{bound},0}}"] for bound in bounds] == [90, 93, 95, 97, 98, 99]
    assert shown["mcu_tick_lateness_seconds_bucket{+Inf,0}"] == 100
    assert [shown[f"mcu_worker_loop_lag_seconds_bucket{{{bound},0}}"] for bound in bounds] == [99, 99, 99, 99, 100, 100]


def test_the_latest_report_is_the_one_that_counts_and_a_dead_worker_has_none() -> None:
    metrics = Metrics()
    metrics.worker_reported("0", report())
    metrics.worker_reported("0", report(legs=9))
    assert figures(metrics)["mcu_legs{0}"] == 9
    metrics.worker_died("0")
    metrics.worker_restarted()
    assert "mcu_legs{0}" not in figures(metrics)
    assert figures(metrics)["mcu_worker_restarts_total{}"] == 1


def test_requests_are_counted_by_method_route_and_status() -> None:
    metrics = Metrics()
    metrics.request_answered("GET", "/api/v1/meetings/{id}", 200, 0.01)
    metrics.request_answered("GET", "/api/v1/meetings/{id}", 200, 0.01)
    metrics.request_answered("GET", "/api/v1/meetings/{id}", 404, 0.01)
    assert figures(metrics)["mcu_http_requests_total{GET,/api/v1/meetings/{id},200}"] == 2
    assert figures(metrics)["mcu_http_requests_total{GET,/api/v1/meetings/{id},404}"] == 1


def test_the_lag_of_the_event_loop_is_measured() -> None:
    metrics = Metrics()
    metrics.loop_lagged(0.03)
    shown = figures(metrics)
    assert shown["mcu_event_loop_lag_seconds_bucket{0.02}"] == 0
    assert shown["mcu_event_loop_lag_seconds_bucket{0.05}"] == 1


def test_sip_shows_what_there_is_of_it_and_by_reason_what_was_dropped() -> None:
    metrics = Metrics()
    metrics.sip_is(
        SimpleNamespace(
            calls=3, transactions=9, connections=2, handshakes=4, dropped={"scanner": 5}, trunks={"one": False}
        )
    )
    shown = figures(metrics)
    assert {name: figure for name, figure in shown.items() if name.startswith("mcu_sip")} == {
        "mcu_sip_calls{}": 3,
        "mcu_sip_transactions{}": 9,
        "mcu_sip_connections{}": 2,
        "mcu_sip_handshakes{}": 4,
        "mcu_sip_dropped_total{scanner}": 5,
        "mcu_sip_trunk_up{one}": 0,
    }
