"""`mcu demo --check`, as a person runs it on a machine without a screen."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mcu.demo.cast import CAST

ROOT = Path(__file__).parents[3]
NEAR = 12  # of 255, after two encodings
SHARE = 0.02  # of the picture: a tile of four has a quarter of it


@pytest.mark.timeout(300)
@pytest.mark.policy("S5.3-1", "S5.3-2")
def test_the_demo_measures_itself_writes_what_is_seen_and_says_that_all_is_well(tmp_path: Path) -> None:
    path = tmp_path / "seen.png"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "160"}
    command = [sys.executable, "-m", "mcu", "demo", "--check", "--picture", str(path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280)
    print(done.stdout, done.stderr)
    assert done.returncode == 0
    rows = [line.split("│")[1:4] for line in done.stdout.splitlines() if line.startswith("│")]
    found = {what.strip(): (verdict.strip(), measured.strip()) for verdict, what, measured in rows}
    assert {verdict for verdict, _ in found.values()} == {"ok"}
    assert found.keys() >= {
        *(f"{person.name} is seen" for person in CAST),
        "voices are heard",
        "the host does not hear itself",
        "the host hears the join sound before the witness",
        "the witness hears nothing of the room before its own join sound",
        "the leave sound",
    }
    assert found["size of the composed picture"] == ("ok", "1280x720")
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (1280, 720))
        pixels = np.asarray(image.convert("RGB"), dtype=np.int16)
    for person in CAST:
        near = np.abs(pixels - np.array(person.colour)).max(axis=2) <= NEAR
        assert near.mean() > SHARE, f"{person.name} is not in the picture"
