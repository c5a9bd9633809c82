"""The command line's help: every command in its group, short; and what a mistyped word may have meant."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn

from cockpit.cli.exit_codes import EPILOG
from cockpit.core.errors import UsageError

WIDTH = 80

ALIKE = 0.7
"""How alike a word must be to one that exists to be taken for it, as difflib counts."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Get to know it, and get ready": ("demo", "init", "check", "rehearse", "doctor"),
    "Run a release": ("run", "attach", "watch", "resume"),
    "One act in a session that runs, from a shell": (
        *("pause", "promote", "reject", "rollback", "abort", "sign", "signal", "limit", "note", "here"),
        *("unexplained", "explain", "decline", "offer", "accept", "refuse"),
    ),
    "Afterwards": ("review", "actions", "replay", "export", "sessions", "verify"),
    "For your shell and editor": ("completion", "schema"),
}
"""Every command, where somebody looks for it."""

INSTALL = """In one line each:
  bash  echo 'source <(cockpit completion bash)' >> ~/.bashrc
  zsh   echo 'source <(cockpit completion zsh)' >> ~/.zshrc     (below compinit)
  fish  cockpit completion fish > ~/.config/fish/completions/cockpit.fish
"""
"""How a shell comes to complete cockpit's words."""


EXAMPLES: dict[str, str] = {
    "check": "cockpit check shop.toml --against shop-prod-20261129-2200",
    "rehearse": "cockpit rehearse shop.toml --fail switch@web-3",
    "doctor": "cockpit doctor shop.toml",
    "init": "cockpit init --from shop-1.1.toml",
    "run": "cockpit run shop.toml --headless --as dana",
    "attach": "cockpit attach --as lee",
    "resume": 'cockpit resume --headless --go-on "web-3 serves 1.1" --as dana',
    "promote": 'cockpit promote --stage web --reason "orders come in"',
    "reject": 'cockpit reject "orders look odd: wait for Sam"',
    "sign": 'cockpit sign backup --note "restored this morning" --as lee',
    "signal": "cockpit signal tickets 3",
    "limit": 'cockpit limit "errors > 2" "> 3 for 2m" "the nightly job fails"',
    "note": 'cockpit note "support sees two calls about receipts"',
    "unexplained": 'cockpit unexplained "orders dip every minute"',
    "explain": 'cockpit explain "the nightly job: it ends at 22:30"',
    "decline": 'cockpit decline "the nightly job, as its log says"',
    "offer": "cockpit offer rollback_owner sam",
    "accept": "cockpit accept rollback_owner --as sam",
    "refuse": 'cockpit refuse rollback_owner --reason "I\'m off at ten" --as sam',
    "actions": 'cockpit actions close shop-prod-20261129-2200/1 "it is in the plan"',
    "replay": "cockpit replay --at 22:14 --speed 10",
    "sessions": "cockpit sessions --push --service shop",
    "export": "cockpit export --format html -o review.html",
}
"""What a command looks like, where its words aren't plain."""

_UNKNOWN = "unrecognized arguments: "
_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """A parser that takes no shortened flag, and whose mistakes say what may have been meant."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **{"allow_abbrev": False, **options})
        self._given: tuple[str, ...] = ()

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride] - it has three overloads
        self, args: Any = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As argparse; what this parser doesn't know is its own mistake, with its own usage."""
        self._given = tuple(sys.argv[1:] if args is None else args)
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"{_UNKNOWN}{' '.join(unknown)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and what may have been meant; exits with 2."""
        if "required" in message and (unknown := self._unknown()):
            message = f"{_UNKNOWN}{unknown}"  # a mistyped flag first: what is missing may be its value
        wrong, known = list[str](), set(self._option_string_actions)
        if message.startswith(_UNKNOWN):
            unknown = message.removeprefix(_UNKNOWN).split(" ")
            wrong = [word.partition("=")[0] for word in unknown if word.startswith("--")]
        elif found := _CHOICE.search(message):
            wrong, known = [found[1]], set(re.findall(r"'([^']*)'", found[2]))
        if close := list(filter(None, (closest(word, known) for word in wrong))):
            message = f"{message} (did you mean {' and '.join(close)}?)"
        super().error(message)

    def _unknown(self) -> str:
        """The first flag on the command line that there is none of, or empty."""
        flags = (word for word in self._given if word.startswith("--") and len(word) > 2)
        return next((word for word in flags if word.partition("=")[0] not in self._option_string_actions), "")


def described(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Let the help of each command begin with its line in the list of all, and end with an example."""
    for action in commands._choices_actions:
        below, says = commands.choices[action.dest], action.help or ""
        more = f" {below.description}" if below.description else ""
        end = "" if says.endswith("?") else "."
        below.description = f"{says[:1].upper()}{says[1:]}{end}{more}"
        if action.dest in EXAMPLES:
            below.epilog = f"example: {EXAMPLES[action.dest]}"


Below: type[argparse.ArgumentParser] = Parser
"""The parsers of the commands."""


class Whole(Parser):
    """The parser of the whole command line."""

    def format_help(self) -> str:
        """The commands by group, a line each, within 80 columns."""
        sub = next(a for a in self._actions if isinstance(a, argparse._SubParsersAction))
        says = {action.dest: action.help or "" for action in sub._choices_actions}
        lines = [
            "usage: cockpit PLAN.toml      the same as `cockpit run PLAN.toml`",
            "       cockpit COMMAND ...    `cockpit COMMAND --help` says more",
        ]
        for title, words in GROUPS.items():
            lines += ["", f"{title}:", *(f"    {word:13}{says[word]}" for word in words)]
        lines += ["", *textwrap.wrap(EPILOG, WIDTH, break_on_hyphens=False)]
        return "\n".join(lines) + "\n"


def with_command(words: list[str], commands: Collection[str]) -> list[str]:
    """The words with their command: a plan's file alone is run. UsageError where neither is there."""
    if words[:1] == ["version"]:
        return ["--version"]
    if words[:1] == ["help"]:
        return [*with_command(words[1:2], commands)[:1], "--help"]
    if not words or words[0] in commands or words[0].startswith("-"):
        return words
    said = words[0]
    if Path(said).suffix or "/" in said or Path(said).exists():
        return ["run", *words]
    close = closest(said, commands)
    meant = f"did you mean `cockpit {close}`?" if close else "`cockpit --help` lists the commands."
    raise UsageError(f"{said}: there is no such command, and no such plan. Nothing was done: {meant}")


def there(plan: Path) -> Path:
    """The plan's path, if something lies there; UsageError names the plan that may have been meant.

    A log names its plan, and holds nothing but UTF-8: of an argument's bytes that are none, U+FFFD is left.
    """
    exists = plan.exists() or plan.is_symlink()
    if _odd(str(plan.absolute())) or (not exists and "\ufffd" in str(plan)):
        raise UsageError(f"{plan}: its path isn't UTF-8. Nothing was contacted: rename what isn't.")
    if exists:
        return plan
    beside = sorted(plan.parent.glob("*.toml")) if plan.parent.is_dir() else []
    close = closest(plan.name, [path.name for path in beside])
    meant = f"did you mean {plan.parent / close}?" if close else "`cockpit init` writes a first plan."
    raise UsageError(f"{plan}: there is no such file. Nothing was contacted: {meant}")


def _odd(path: str) -> bool:
    """Whether some of its bytes aren't UTF-8, for which half a pair of surrogates stands."""
    return any("\ud800" <= character <= "\udfff" for character in path)


def closest(said: str, known: Collection[str]) -> str:
    """The known word that may have been meant: the only one that begins so, else one much like it; or empty.

    As alike as `pasue` and `pause`: whoever types `start` is not to be shown `abort`.
    """
    from difflib import get_close_matches

    begun = [word for word in known if word.startswith(said)]
    if len(begun) == 1 and len(said.strip("-")) > 1:
        return begun[0]
    return next(iter(get_close_matches(said, sorted(known), 1, ALIKE)), "")
