"""Steps of a recipe and its notebook, compared without running them."""

from __future__ import annotations

import ast
from pathlib import Path

_RECIPES = Path("src/portfolio/workloads")


def faults(folder: Path, workload: str) -> list[str]:
    """Return the first statement of a recipe that its notebook does not have in that order, and the reverse.

    A recipe's last statement returns its conclusion, which is the last cell of a notebook, and is not
    compared. Of a notebook, only stages are.

    Args:
        folder: of the project.
        workload: its name; its notebook is found by it.
    """
    (notebook,) = (folder / "notebooks").glob(f"*_{workload}.py")
    return differences(folder / _RECIPES / f"{workload}.py", notebook)


def differences(recipe: Path, notebook: Path) -> list[str]:
    """Return what one of two files says and the other does not, a line each; see `faults`."""
    functions = (one for one in _statements(recipe) if isinstance(one, ast.FunctionDef))
    (run,) = (function for function in functions if function.name == "run")
    steps = [ast.unparse(one) for one in run.body[:-1] if not _is_text(one)]
    cells = _statements(notebook)
    # Each is looked for behind the one before it.
    behind = iter([ast.unparse(one) for one in cells])
    missing = next((step for step in steps if step not in behind), None)
    stages = [ast.unparse(one) for one in cells if _is_stage(one)]
    found = [] if missing is None else [f"{notebook.name} does not have, in this order: {missing}"]
    return found + [f"{recipe.name} does not have: {stage}" for stage in stages if stage not in steps]


def _statements(path: Path) -> list[ast.stmt]:
    return ast.parse(path.read_text(encoding="utf-8")).body


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _is_stage(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.With) and ast.unparse(statement).startswith("with run.stage(")
