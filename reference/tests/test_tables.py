"""Tables: this project's own are declared well, and the data dictionary is current."""

from pathlib import Path

from acceleray import tables
from acceleray.tables.dictionary import markdown
from acceleray.testing.declarations import faults
from portfolio import PROJECT


def test_own_tables_are_declared_well() -> None:
    assert faults(PROJECT.own_tables(), tables.ALL) == []


def test_the_data_dictionary_is_current(folder: Path) -> None:
    written = (folder / "docs" / "data_dictionary.md").read_text(encoding="utf-8")
    assert written == markdown(PROJECT.all_tables()), "run `make dictionary`"
