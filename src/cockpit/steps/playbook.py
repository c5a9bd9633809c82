"""What a step hands to ansible-playbook: one playbook, and options that leave Cockpit its own part."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, NoReturn

_WHERE = "Cockpit says on which targets it runs"
_NOTHING = "nothing would be done"
_ASKS = "nobody could answer"
_BY_FILE = f"it asks, and {_ASKS}; a password can come from a file"

_REFUSED: dict[tuple[str, ...], str] = {
    ("-l", "--limit"): _WHERE,
    ("-i", "--inventory", "--inventory-file"): "Cockpit gives it the plan's own targets",
    ("-C", "--check"): _NOTHING,
    ("--list-hosts",): _NOTHING,
    ("--list-tasks",): _NOTHING,
    ("--list-tags",): _NOTHING,
    ("--syntax-check",): _NOTHING,
    ("-h", "--help"): _NOTHING,
    ("--version",): _NOTHING,
    ("--step",): f"it asks before each task, and {_ASKS}",
    ("-k", "--ask-pass"): _BY_FILE,
    ("-K", "--ask-become-pass"): _BY_FILE,
    ("-J", "--ask-vault-password", "--ask-vault-pass"): _BY_FILE,
}
"""The options that are Cockpit's own part, or for which there is nobody, and why."""

_FLAGS: tuple[tuple[str, ...], ...] = (
    ("-v", "--verbose"),
    ("-D", "--diff"),
    ("-b", "--become"),
    ("--force-handlers",),
    ("--flush-cache",),
)
_WITH_A_VALUE: tuple[tuple[str, ...], ...] = (
    ("-e", "--extra-vars"),
    ("-t", "--tags"),
    ("--skip-tags",),
    ("--start-at-task",),
    ("-f", "--forks"),
    ("-M", "--module-path"),
    ("-u", "--user"),
    ("-c", "--connection"),
    ("-T", "--timeout"),
    ("--private-key", "--key-file"),
    ("--ssh-common-args",),
    ("--ssh-extra-args",),
    ("--sftp-extra-args",),
    ("--scp-extra-args",),
    ("--become-method",),
    ("--become-user",),
    ("--become-password-file", "--become-pass-file"),
    ("--connection-password-file", "--conn-pass-file"),
    ("--vault-id",),
    ("--vault-password-file", "--vault-pass-file"),
)

_SHELL = re.compile(
    r"""'[^']*'|"(?:[^"\\$`]|\\.|\$(?![\w({]))*"|\\.|(?P<shell>\$[\w({]|[;|&<>`])""", re.ASCII | re.DOTALL
)
"""Quoted text as a whole, and whatever else only a shell would understand."""

_PIECE = re.compile(
    r"""(?:\{\{.*?\}\}|\{%.*?%\}|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|["'].*|[^\s"'])+""", re.DOTALL
)
"""What Ansible takes for one `name=value` of an `-e`."""


@dataclass(frozen=True, slots=True)
class Playbook:
    """What ansible-playbook gets from a step: a playbook's path, as written, and its options, each a whole word."""

    playbook: str
    options: tuple[str, ...] = ()


def parsed(line: str) -> Playbook:
    """The playbook and the options in `line`, the filled-in line of a step.

    The line is words, quoted as for a shell, but no shell reads it. Abbreviated options come out in full.
    Raises ValueError, with a sentence that says what is wrong with it.
    """
    if found := next((m["shell"] for m in _SHELL.finditer(line) if m["shell"]), None):
        raise ValueError(f"`{found[0]}` means something to a shell only, and no shell reads this line")
    try:
        words = shlex.split(line)
    except ValueError as fault:
        raise ValueError("a quotation mark isn't closed") from fault
    kept = _Words()
    _parser().parse_args(words, kept)
    if not kept.playbooks:
        raise ValueError("no playbook is named")
    if len(kept.playbooks) > 1:
        raise ValueError(f"`{kept.playbooks[1]}` would be a second playbook; a step runs one")
    playbook = kept.playbooks[0]
    if playbook.startswith("-") or not playbook.endswith((".yml", ".yaml")):
        raise ValueError(f"`{playbook}` is no playbook: one ends in .yml or .yaml")
    return Playbook(playbook, tuple(kept.options))


def extra_vars(playbook: Playbook) -> tuple[str, ...]:
    """Each `name=value` that its options of kind `-e` come to, as Ansible splits them, values without their quotes."""
    options = playbook.options
    said = (value for option, value in pairwise(options) if option in ("-e", "--extra-vars"))
    return tuple(pair for value in said for pair in _pairs(value))


def _pairs(value: str) -> list[str]:
    """The pairs in the value of an `-e`: none where it is a file or JSON. ValueError for what Ansible would drop."""
    if value.startswith(("@", "{", "[")):
        return []
    pairs: list[str] = []
    for piece in _PIECE.findall(value):
        name, is_pair, text = piece.partition("=")
        if not is_pair:
            raise ValueError(
                f"Ansible would leave `{piece}` out of `-e {value}`; a value with spaces takes quotes of its own"
            )
        quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
        pairs.append(f"{name}={text[1:-1] if quoted else text}")
    return pairs


class _Words(argparse.Namespace):
    """What has been read so far."""

    def __init__(self) -> None:
        super().__init__()
        self.playbooks: list[str] = []
        self.options: list[str] = []


class _Kept(argparse.Action):
    """An option that is passed on, under the spelling that stands in the line."""

    def __call__(
        self, _parser: object, namespace: Any, values: object, option_string: str | None = None
    ) -> None:
        word = str(option_string)
        if word == "--vault-id" and str(values).endswith("prompt"):
            raise ValueError(f"`--vault-id {values}` can't stand here: it asks, and {_ASKS}")
        if self.dest == "--extra-vars":
            _pairs(str(values))
        if self.nargs == 0:
            namespace.options.append(word)
        elif not str(values).startswith("-"):
            namespace.options += [word, str(values)]
        else:  # as a word of its own it would be taken for an option
            namespace.options.append(f"{self.option_strings[-1]}={values}")


class _Refused(argparse.Action):
    """An option that can't stand in a step."""

    def __call__(
        self, _parser: object, _namespace: object, _values: object, option_string: str | None = None
    ) -> None:
        raise ValueError(f"`{option_string}` can't stand here: {self.help}")


class _Positional(argparse.Action):
    """The words that are no options."""

    def __call__(self, _parser: object, namespace: Any, values: Any, _option: str | None = None) -> None:
        namespace.playbooks += values


class _Parser(argparse.ArgumentParser):
    """Reads a line as ansible-playbook does, and says what is wrong instead of leaving."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(f"ansible-playbook wouldn't take it: {message}")


@cache
def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ansible-playbook", add_help=False)

    def add(options: Sequence[str], action: type[argparse.Action], takes: int | None, why: str = "") -> None:
        parser.add_argument(
            *options, dest=options[-1], action=action, nargs=takes, help=why, default=argparse.SUPPRESS
        )

    for options, why in _REFUSED.items():
        takes = None if options[0] in ("-l", "-i") else 0
        add(options, _Refused, takes, why)
    for options in _FLAGS:
        add(options, _Kept, 0)
    for options in _WITH_A_VALUE:
        add(options, _Kept, None)
    parser.add_argument("playbook", nargs="*", action=_Positional, default=argparse.SUPPRESS)
    return parser
