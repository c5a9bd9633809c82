"""docs/faults.md names tests that exist, and for each fault the command."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = {
    int(row[1]): row[0]
    for row in re.finditer(r"^\| (\d+) \|.*$", (ROOT / "docs/faults.md").read_text(), re.M)
}
ALL = range(1, 40)


def test_every_fault_has_a_row() -> None:
    assert list(ROWS) == list(ALL)


@pytest.mark.parametrize("number", ALL)
def test_the_tests_of_a_row_exist(number: int) -> None:
    named = re.findall(r"`(tests/\S+?)::(\w+)`", ROWS[number])
    assert named
    ours = {path.startswith("tests/faults/") for path, _ in named}
    wanted = " ".join(["make", *(["faults"] if True in ours else []), *(["check"] if False in ours else [])])
    assert f"| `{wanted}` |" in ROWS[number]
    for path, name in named:
        tree = ast.parse((ROOT / path).read_text())
        assert name in {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}, (
            name
        )
