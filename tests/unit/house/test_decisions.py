"""Decisions are cited by their numbers, so each has one of its own."""

from pathlib import Path

ADRS = sorted((Path(__file__).parents[3] / "docs" / "adr").glob("*.md"))


def test_each_decision_has_the_next_number_and_says_it_in_its_title() -> None:
    numbers = [int(decision.name.partition("-")[0]) for decision in ADRS]
    assert numbers == list(range(1, len(ADRS) + 1))
    titles = [decision.read_text("utf-8").partition("\n")[0] for decision in ADRS]
    assert [title.partition(". ")[0] for title in titles] == [f"# {number}" for number in numbers]
