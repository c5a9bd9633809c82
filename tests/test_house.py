"""The house rules: sizes, first lines, and that README, docs and CI name what is there."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "src").rglob("*.py"))
FUNCTIONS = 50
LINES = 400


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module")
def parsed() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text(), path) for path in MODULES}


def test_a_module_is_short_and_says_what_it_owns(parsed: dict[Path, ast.Module]) -> None:
    assert len(parsed) > 300
    for path, module in parsed.items():
        assert path.read_text().count("\n") <= LINES, name(path)
        first = (ast.get_docstring(module) or "\n").splitlines()[0]
        assert 10 <= len(first) <= 110, (name(path), first)
        assert first.endswith((".", "`.")), (name(path), first)


def test_a_function_fits_a_screen(parsed: dict[Path, ast.Module]) -> None:
    long: list[str] = []
    for path, module in parsed.items():
        for node in ast.walk(module):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > FUNCTIONS:
                    long.append(f"{name(path)}:{node.lineno} {node.name} has {length} lines")
    assert long == []


def test_no_module_hides_what_it_is_for() -> None:
    nothing_said = {"utils", "helpers", "common", "manager", "service", "misc"}
    for path in MODULES:
        assert path.stem not in nothing_said or "demo" in path.parts, name(path)
        assert "TYPE_CHECKING" not in path.read_text(), name(path)


def test_the_readme_gives_two_commands_and_ci_runs_the_second() -> None:
    readme = (ROOT / "README.md").read_text()
    demo, tests = re.findall(r"^    (make \w+)$", readme, re.MULTILINE)[:2]
    assert (demo, tests) == ("make demo", "make check")
    assert tests in (ROOT / ".ci" / "run").read_text()
    assert readme.index(".svg") < readme.index("make demo")
    for image in re.findall(r"\]\((docs/[^)]+)\)", readme):
        assert (ROOT / image).exists(), image


def test_the_glossary_has_every_state_of_an_attempt_and_a_release() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    states = (ROOT / "src/cockpit/core/attempt.py").read_text() + (
        ROOT / "src/cockpit/core/view.py"
    ).read_text()
    literals = re.findall(r"(?:AttemptStatus|Status) = Literal\[(.*?)\]", states, re.DOTALL)
    words = {w.replace("_", " ") for literal in literals for w in re.findall(r'"(\w+)"', literal)}
    assert len(words) > 12
    assert [w for w in sorted(words) if w not in glossary] == []


def test_the_architecture_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {p.parent.name for p in MODULES if p.parent.parent.name == "cockpit"}
    assert [room for room in sorted(rooms) if f"`{room}/`" not in page] == []


def test_dependencies_are_locked_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    lock = (ROOT / "requirements.lock").read_text()
    for requirement in wanted:
        package = re.split(r"[<>=\[]", requirement)[0]
        assert re.search(
            rf"^{package}(?:\[\S+\])?==\S+ (?:;.*)?\\\n    --hash=sha256:", lock, re.MULTILINE
        ), package
