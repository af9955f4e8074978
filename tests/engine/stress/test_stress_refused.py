"""An invalid stress file ends the command at once: one line, exit code 2, nothing started."""

from pathlib import Path

import pytest

from acceleray.cli import main
from portfolio import PROJECT
from stress.invented import project

FALL = "hypothetical: [{id: fall, title: Fall, shocks: {equity: '-30 %'}}]\n"
# Each pair alone is possible; what moves against both others cannot have them move against each other.
TRIANGLE = ", ".join(
    f"{{between: [{one}, {other}], correlation: -0.9}}"
    for one, other in (("equity", "credit"), ("credit", "oil"), ("oil", "equity"))
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            FALL.replace("equity", "equities"),
            "fall, shocks.equities: unknown factor 'equities'; did you mean equity?",
        ),
        (
            FALL.replace("'-30 %'", "-30"),
            "fall, shocks.equity: '-30' has no unit; write for example '-20 %', '+2 pp', '+150 bp' or "
            "'to 60 %'.",
        ),
        (
            FALL.replace("}}]", f"}}, correlations: [{TRIANGLE}]}}]"),
            "fall, correlations: together they are not positive definite, the smallest eigenvalue is -0.8000 "
            "and must be above zero.",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, says: str
) -> None:
    project(tmp_path, text)
    code = main(PROJECT, ["run", "risk_stress_testing", "--project", str(tmp_path)])
    out, error = capsys.readouterr()
    assert (code, out, error) == (2, "", f"Error: conf/stress.yml, {says}\n")
    # Neither the lock nor MLflow nor Spark has left anything.
    assert [path.name for path in tmp_path.iterdir()] == ["conf"]
