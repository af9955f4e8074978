from acceleray.cli.text import cell, grid, table


def test_a_grid_aligns_numbers_on_the_right_and_wide_letters_by_what_they_take() -> None:
    rows = [("日本", 1.5, None), ("b", 12.0, True)]
    assert grid(("name", "value", "ok"), rows) == ["name  value  ok", "日本    1.5", "b        12  yes"]


def test_what_is_wider_than_the_terminal_becomes_one_record_below_the_other() -> None:
    rows = [("a" * 30, 1), ("b", 2)]
    assert table(("name", "n"), rows, width=20) == [
        "row 1",
        f"  name  {'a' * 30}",
        "  n     1",
        "row 2",
        "  name  b",
        "  n     2",
    ]
    assert len(table(("name", "n"), rows, width=None)) == 3


def test_no_value_can_control_the_terminal() -> None:
    assert cell("a\x1b[31mb\nc") == "a\N{REPLACEMENT CHARACTER}[31mb\N{REPLACEMENT CHARACTER}c"
