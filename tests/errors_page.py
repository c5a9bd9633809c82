"""Every message that says no, read off the source, with what to do about it: the page docs/errors.md.

`python -m tests.errors_page` prints it. The template of a message has what it quotes in capitals.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from tests.errors_areas import IN_A_PLAN, NOTHING_RAN, REFUSED, WHAT_ENDS
from tests.errors_what_to_do import READINESS, TO_DO

SRC = Path(__file__).parent.parent / "src" / "cockpit"

RAISED = (
    *("CockpitError", "PlanError", "UsageError", "NotReady", "Held", "StillInDoubt", "LogError", "Broken"),
    *("NotArchived", "ArchiveLost", "Unusable", "RemoteError", "SigningError", "NothingRan", "Dropped"),
)
"""What ends a command, or keeps a target out of reach: the classes in core/errors.py, and those of logins."""

IN_PLANS = ("Mistake", "mistake", "NoInventory", "wrong", "problem", "warn", "at", "later")
"""What is said of a plan: each has its hint, which is what to do."""

OF_PLANS = ("planfile/", "cli/questions", "cli/loading", "remote/inventory")
"""Where it is said."""

AS_ITS_LINE = "as its line says"
"""What to do where that depends on what the plan has there: cockpit prints it below the message."""

COMMAND = re.compile(r"`[^`]+`")
VERBS = """
    add allow ask attach begin choose compare copy correct did\\ you\\ mean exclude find\\ out free give go\\ on hand
    install leave look make mend name open paste press push read remove rename rehearse resume retry roll\\ back run
    say see set settle sign ssh-add start take try wait write
""".strip()
IMPERATIVE = re.compile(
    r"(?:^|[:;.,?)] |\b(?:or|and|then) |, so )(?:" + re.sub(r"(?<!\\)\s+", "|", VERBS) + r")\b", re.IGNORECASE
)
"""Words by which a message itself says what to do."""


class Message(NamedTuple):
    """A message: its kind, its words with what it quotes in capitals, its hint if it has one, and its module."""

    kind: str
    template: str
    hint: str
    module: str

    @property
    def to_do(self) -> str:
        """What to do, where the message or the table says it; else empty."""
        if self.template in TO_DO:
            return TO_DO[self.template]
        if self.hint:
            return self.hint
        says = COMMAND.search(self.template) or IMPERATIVE.search(self.template)
        return "as it says" if says else ""


class _Module:
    """One module's text, and the strings that its names may stand for."""

    def __init__(self, path: Path, constants: dict[str, list[str]]) -> None:
        self.name = str(path.relative_to(SRC))
        self.tree = ast.parse(path.read_text(encoding="utf-8"))
        self._constants = constants
        self._above = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}

    def calls(self) -> Iterator[tuple[ast.Call, ast.AST]]:
        """Every call, with the innermost function around it."""

        def below(node: ast.AST, scope: ast.AST) -> Iterator[tuple[ast.Call, ast.AST]]:
            for child in ast.iter_child_nodes(node):
                inner = child if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else scope
                if isinstance(child, ast.Call):
                    yield child, scope
                yield from below(child, inner)

        return below(self.tree, self.tree)

    def words(self, node: ast.expr, scope: ast.AST) -> list[str]:
        """The templates that an expression may come to; none where another message is passed on."""
        return [text for text, _ in self.sayings(node, scope)]

    def sayings(self, node: ast.expr, scope: ast.AST, deep: int = 0) -> list[tuple[str, ast.stmt | None]]:
        """The same, each with the statement that gives a name this value, where one does."""
        match node:
            case ast.Constant(value=str(text)):
                return [(text, None)]
            case ast.JoinedStr(values=parts):
                return [("".join(self._part(part) for part in parts), None)]
            case ast.IfExp(body=one, orelse=other):
                return [*self.sayings(one, scope, deep), *self.sayings(other, scope, deep)]
            case ast.BoolOp(values=values):
                return [said for value in values for said in self.sayings(value, scope, deep)]
            case ast.BinOp(left=left, right=right):
                ends = [text for text, _ in self.sayings(right, scope, deep)] or ["…"]
                return [(text + end, by) for text, by in self.sayings(left, scope, deep) for end in ends]
            case ast.Name(id=name) if deep < 2:
                found: list[tuple[str, ast.stmt | None]] = []
                for by, value in self.given(node, name, scope):
                    found += [(text, by) for text, _ in self.sayings(value, scope, deep + 1)]
                return found or [(text, None) for text in self._constants.get(name, [])]
            case ast.Attribute(attr=name):
                return [(text, None) for text in self._constants.get(name, [])]
            case _:
                return []

    def given(self, use: ast.AST, name: str, scope: ast.AST) -> list[tuple[ast.stmt, ast.expr]]:
        """Each value that a name can have where it is used, with its statement: the nearest on the way there."""
        found: list[tuple[ast.stmt, ast.expr]] = []
        below = use
        while below is not scope and (above := self._above.get(below)) is not None:
            if isinstance(above, ast.If | ast.While) and below is not above.test:
                found += [(above, value) for value in _assigned(above.test, name)]
            for statements in (getattr(above, field, None) for field in ("body", "orelse", "finalbody")):
                if not isinstance(statements, list) or below not in statements:
                    continue
                for statement in reversed(statements[: statements.index(below)]):
                    here = [(one, value) for one in ast.walk(statement) for value in _assigned_by(one, name)]
                    found += [(one, value) for one, value in here if isinstance(one, ast.stmt)]
                    if here and isinstance(statement, ast.Assign | ast.AnnAssign):
                        return found
            below = above
        return found

    def _part(self, part: ast.expr) -> str:
        match part:
            case ast.Constant(value=str(text)):
                return text
            case ast.FormattedValue(value=ast.IfExp() | ast.BoolOp()):
                return "…"
            case ast.FormattedValue(value=value):
                return _quoted(value, self._constants)
            case _:
                return "…"


def _quoted(value: ast.expr, constants: dict[str, list[str]]) -> str:
    """What a message quotes, as a word in capitals."""
    match value:
        case ast.Name(id=name) if name.lstrip("_").isupper() and name in constants:
            return constants[name][0]
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.strip("_").upper().replace("_", " ")
        case ast.Subscript(value=inner):
            return _quoted(inner, constants)
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            known = {
                "person_name": "PERSON",
                "names": "PEOPLE",
                "join": "A LIST",
                "called": "ROLE",
                "span": "SPAN",
            }
            return known.get(name, name.strip("_").upper().replace("_", " "))
        case _:
            return "…"


def _assigned(scope: ast.AST, name: str) -> Iterator[ast.expr]:
    """Every expression that a name is given below a node."""
    return (value for node in ast.walk(scope) for value in _assigned_by(node, name))


def _assigned_by(node: ast.AST, name: str) -> Iterator[ast.expr]:
    """The expressions that this very node gives a name."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _paired(target, value, name)
        case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if found == name:
            yield value
        case ast.NamedExpr(target=ast.Name(id=found), value=value) if found == name:
            yield value
        case ast.AugAssign(target=ast.Name(id=found), value=value) if found == name:
            yield value
        case _:
            pass


def _paired(target: ast.expr, value: ast.expr, name: str) -> Iterator[ast.expr]:
    match target, value:
        case ast.Name(id=found), _ if found == name:
            yield value
        case ast.Tuple(elts=targets), ast.Tuple(elts=values):
            for each, its in zip(targets, values, strict=False):
                yield from _paired(each, its, name)
        case ast.Tuple(elts=targets), ast.IfExp(body=one, orelse=other):
            yield from _paired(target, one, name)
            yield from _paired(target, other, name)
        case _:
            pass


def _constants(paths: list[Path]) -> dict[str, list[str]]:
    """The strings that modules name in capitals, which messages put together or say whole."""
    found: dict[str, list[str]] = {}
    for path in paths:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))):
                    found.setdefault(name, []).append(text)
                case _:
                    pass
    return found


@cache
def messages() -> list[Message]:
    """Every message in the source, each once, by kind and then by module."""
    paths = sorted(SRC.rglob("*.py"))
    constants = _constants(paths)
    found: dict[tuple[str, str], Message] = {}
    for path in paths:
        module = _Module(path, constants)
        for call, scope in module.calls():
            for message in _of(call, scope, module):
                found.setdefault((message.kind, message.template), message)
    return list(found.values())


def _of(call: ast.Call, scope: ast.AST, module: _Module) -> Iterator[Message]:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case _:
            return
    if name == "Refused" and call.args:
        kind, said, hint = "Refused", call.args[0], None
    elif name in RAISED and call.args:
        kind, said, hint = name, call.args[0], None
    elif name in IN_PLANS and module.name.startswith(OF_PLANS):
        places = 0 if name in ("Mistake", "mistake", "NoInventory", "wrong") else 1
        if len(call.args) <= places:
            return
        kind, said = "plan", call.args[places]
        hint = call.args[places + 1] if len(call.args) > places + 1 else None
    else:
        return
    for text, by in module.sayings(said, scope):
        to_do = "" if hint is None else _hint(module.sayings(hint, scope), by)
        if name == "later":
            to_do = "leave it out, or see to it yourself until a later version does"
        yield Message(kind, " ".join(text.split()), " ".join(to_do.split()), module.name)


def _hint(hints: list[tuple[str, ast.stmt | None]], by: ast.stmt | None) -> str:
    """What to do about a message that the statement `by` worded: its own hint, else the only one there can be."""
    own = {text for text, said_by in hints if by is not None and said_by is by}
    of_all = own or {text for text, _ in hints}
    return of_all.pop() if len(of_all) == 1 else AS_ITS_LINE


def readiness_keys() -> set[str]:
    """How the keys of the findings begin that readiness is made of."""
    found: set[str] = set()
    paths = [SRC / "core" / name for name in ("readiness.py", "examined.py")]
    for path in paths:
        module = _Module(path, {})
        for call, scope in module.calls():
            if isinstance(call.func, ast.Name) and call.func.id == "Finding":
                said = [*module.words(call.args[0], scope), *module.words(ast.Name("key"), scope)]
                found.update(text.partition(":")[0] for text in said)
    return {key for key in found if not key.isupper()}


HEAD = """# What cockpit says when something can't be

Written by `make docs` from the source: every message with which a command ends, a session refuses, a target stays out
of reach or a plan is turned down, and what to do. What a message quotes stands in capitals. "As it says": the message
itself says what to do; "as its line says": what cockpit prints below it does. Exit codes:
[exit-codes.md](exit-codes.md).
"""

SECTIONS = {
    "What ends a command": (RAISED[:-2], WHAT_ENDS),
    "What a session refuses": (("Refused",), REFUSED),
    "Why nothing ran on a target": (RAISED[-2:], NOTHING_RAN),
    "What is wrong with a plan": (("plan",), IN_A_PLAN),
}


def page() -> str:
    """The page docs/errors.md."""
    found = messages()
    parts = [HEAD]
    for title, (kinds, areas) in SECTIONS.items():
        rows = {m.template: m for m in found if m.kind in kinds and m.template and not m.template.isupper()}
        parts.append(f"## {title}\n")
        for area, modules in areas.items():
            here = [m for module in modules for m in rows.values() if m.module == module]
            table = "".join(f"\n| {_cell(m.template)} | {_cell(m.to_do)} |" for m in here)
            parts.append(f"### {area}\n\n| message | what to do |\n|---|---|{table}\n")
    lines = "".join(f"\n| {what} | {_cell(do)} |" for what, do in READINESS.values())
    parts.append(
        "## Not ready\n\nEach line of readiness that isn't in order says what is missing; nothing ran.\n\n"
        f"| what is missing | what to do |\n|---|---|{lines}\n"
    )
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    print(page(), end="")
