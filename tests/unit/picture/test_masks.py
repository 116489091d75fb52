"""Names, initials and marks."""

from pathlib import Path

import numpy as np
import pytest

from mcu.media.picture import masks
from mcu.media.picture.masks import Mark, clean, initials, initials_mask, label_mask, shorten


@pytest.mark.parametrize(
    ("label", "letters"),
    [
        ("Åsa Öberg", "ÅÖ"),
        ("lars", "L"),
        ("Karin af Ugglas", "KU"),
        ("(Dr) Mikael", "DM"),
        ("4711 Norr", "4N"),
        ("…", ""),
        ("", ""),
        ("ßen", "S"),
    ],
)
def test_initials_are_those_of_the_first_and_last_word(label: str, letters: str) -> None:
    assert initials(label) == letters


def test_a_label_is_one_line_of_printable_characters() -> None:
    assert clean(" Eva\n\x00\u202e Ek\t") == "Eva Ek"


def test_a_long_name_ends_in_an_ellipsis_and_fits() -> None:
    mask = label_mask("Wilhelmina Skogh-Lindqvist von Sparre af Rosenborg", Mark.MUTED, 12, 160)
    assert mask is not None
    assert mask.width <= 160
    assert shorten("Wilhelmina Skogh", 12, 60).endswith("…")
    assert shorten("Eva", 12, 60) == "Eva"


def test_where_nothing_fits_there_is_no_text() -> None:
    assert shorten("Eva", 12, 3) == ""


def test_an_empty_label_without_a_mark_is_nothing() -> None:
    assert label_mask("  ", Mark.NONE, 12, 160) is None


def test_letters_with_rings_and_dots_are_drawn_as_themselves() -> None:
    drawn = {letter: label_mask(letter, Mark.NONE, 24, 200) for letter in "aåäoö"}
    assert len({mask.alpha for mask in drawn.values() if mask is not None}) == 5


def test_without_dejavu_names_are_drawn_all_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usual = label_mask("Östen", Mark.NONE, 24, 299)
    monkeypatch.setattr(masks, "DEJAVU", tmp_path / "missing.ttf")
    for cache in (masks.font, masks.label_mask):
        cache.cache_clear()
    other = label_mask("Östen", Mark.NONE, 24, 299)
    for cache in (masks.font, masks.label_mask):
        cache.cache_clear()
    assert usual is not None
    assert other is not None
    assert max(other.alpha) == 255
    assert other.alpha != usual.alpha


@pytest.mark.parametrize("mark", Mark)
def test_masks_have_even_sides_and_as_many_bytes_as_pixels(mark: Mark) -> None:
    for size in range(6, 30):
        mask = label_mask("Östen", mark, size, 300)
        letters = initials_mask("ÅÖ", size)
        assert mask is not None
        for made in (mask, letters):
            assert (made.width % 2, made.height % 2) == (0, 0)
            assert len(made.alpha) == made.width * made.height


def test_a_mark_is_drawn_before_the_name() -> None:
    plain, muted = label_mask("Eva", Mark.NONE, 20, 300), label_mask("Eva", Mark.MUTED, 20, 300)
    assert plain is not None
    assert muted is not None
    assert muted.width > plain.width
    ink = np.frombuffer(muted.alpha, np.uint8).reshape(muted.height, muted.width)
    assert ink[:, 10:30].max() == 255
