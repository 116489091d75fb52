"""A worker's lines: cut, limited, and told apart."""

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from mcu.cluster.output import LINE_BYTES, LINES_A_SECOND, LineSplitter, WorkerOutput


@given(st.lists(st.binary(max_size=40)), st.integers(1, 7))
def test_lines_are_the_same_however_the_bytes_are_cut(lines: list[bytes], size: int) -> None:
    data = b"".join(line.replace(b"\n", b"") + b"\n" for line in lines)
    splitter = LineSplitter()
    got = [line for at in range(0, len(data), size) for line in splitter.feed(data[at : at + size])]
    assert got == LineSplitter().feed(data)


def test_of_a_line_without_end_only_the_beginning_is_kept_and_the_next_line_is_whole() -> None:
    splitter = LineSplitter()
    lines = [line for _ in range(100) for line in splitter.feed(b"x" * 1000)]
    lines += splitter.feed(b"xx\nnext\n")
    assert [len(line) for line in lines] == [LINE_BYTES, 4]
    assert lines[-1] == "next"


def test_more_lines_in_a_second_than_are_allowed_are_dropped_and_counted() -> None:
    with capture_logs() as lines:
        output = WorkerOutput("w0.1", lambda: 5.0)
        output.feed(b"x264 says something\n" * (LINES_A_SECOND + 7))
        output.close()
    assert len(lines) == LINES_A_SECOND + 1
    assert lines[-1] == {"event": "worker_lines_dropped", "worker": "w0.1", "lines": 7, "log_level": "warning"}


def test_a_json_line_that_is_not_a_log_line_is_taken_as_text() -> None:
    with capture_logs() as lines:
        WorkerOutput("w0.1", lambda: 5.0).feed(b'[1]\n{"level": "info"}\n')
    assert [line["event"] for line in lines] == ["worker_output"] * 2
