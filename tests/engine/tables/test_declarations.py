"""Tables are declared once, and everything that is said of them elsewhere comes from there."""

import pytest

from acceleray.tables import ALL, Table
from acceleray.tables.contract import literal, quoted
from acceleray.tables.dictionary import markdown
from rendered import TEMPLATE

DICTIONARY = TEMPLATE / "docs" / "data_dictionary.md"


def test_the_data_dictionary_says_what_the_declarations_say() -> None:
    assert DICTIONARY.read_text(encoding="utf-8") == markdown(ALL), "run `make dictionary`"


def test_no_two_tables_share_a_name() -> None:
    assert len({table.label for table in ALL}) == len(ALL)


@pytest.mark.parametrize("table", ALL, ids=lambda table: table.label)
def test_a_table_is_keyed_by_its_own_columns_and_every_result_says_its_run(table: Table) -> None:
    names = table.column_names
    assert len(set(names)) == len(names)
    assert set(table.key) <= set(names)
    assert table.scope in table.key
    if table.scope == "run_id":
        assert {"run_id", "as_of"} <= set(names)
    by_name = {column.name: column for column in table.columns}
    assert not any(by_name[name].nullable or by_name[name].volatile for name in table.key)
    assert all(column.comment for column in table.columns)


def test_identifiers_and_texts_cannot_end_their_own_quotes() -> None:
    assert quoted("a`; DROP TABLE b") == "`a``; DROP TABLE b`"
    assert literal("it's \\ '") == "'it\\'s \\\\ \\''"
