"""What a person sets for themselves: config.toml, beaten by COCKPIT_* variables, beaten by flags."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from cockpit import shipped
from cockpit.core.text import visible

SIZE_MOST = 64 * 1024
"""Bytes of a file of settings, keys or colours; more is none."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key in config.toml, its value where nobody says anything, and what it does, for the docs.

    `choices` are all it can be; empty: any word. A key `table.name` stands in the file's [table]. The variable is
    COCKPIT_ and the key in capitals, with _ for a dot.
    """

    key: str
    default: str
    does: str
    choices: tuple[str, ...] = ()

    @property
    def variable(self) -> str:
        """The environment variable that beats the file."""
        return f"COCKPIT_{self.key.upper().replace('.', '_')}"

    def read(self, said: object) -> str | None:
        """The value that `said` (of TOML, or of a variable) stands for, or None."""
        if isinstance(said, bool):
            said = "on" if said else "off"
        if not isinstance(said, str):
            return None
        if not self.choices:
            return said if visible(said) == said else None
        word = said.strip().lower().replace("-", " ").replace("_", " ")
        return word if word in self.choices else None

    @property
    def hint(self) -> str:
        """What to write instead."""
        return f"write one of {', '.join(self.choices)}" if self.choices else "write a word between quotes"


SETTINGS: Mapping[str, Setting] = {
    setting.key: setting
    for setting in (
        Setting(
            "theme",
            "",
            "The colours: a theme that comes along, or one of yours. Without one: `calm-dark`, and `mono` where "
            "`NO_COLOR` is set.",
        ),
        Setting("as", "", "Who you are, an id under `[people]`, where the plan doesn't know your account."),
        Setting(
            "bell",
            "your move",
            "When the terminal's bell rings: once for each new thing that only you can move on, for any alarm too, "
            "or never.",
            ("your move", "any alarm", "off"),
        ),
        Setting("title", "on", "Whether the terminal's title says how the release stands.", ("on", "off")),
        Setting(
            "progress",
            "auto",
            "Whether the terminal shows progress in its tab or task bar (OSC 9;4); `auto`: where it is known to.",
            ("auto", "on", "off"),
        ),
        Setting(
            "otel.endpoint",
            "",
            "Where OpenTelemetry's OTLP/HTTP is received, such as `http://127.0.0.1:4318`: traces and metrics of a "
            "release go there.",
        ),
        Setting(
            "otel.token",
            "",
            "Where to look up the secret sent there as `Authorization: Bearer`: `env:NAME`, `file:PATH` or "
            "`cmd:COMMAND`.",
        ),
        Setting(
            "annotations.url",
            "",
            "Where Grafana answers, such as `https://grafana.example`: start, stages, pauses and rollbacks are marked "
            "there as annotations.",
        ),
        Setting("annotations.token", "", "Where to look up Grafana's token, written as `otel.token` is."),
        Setting(
            "archive.directory",
            "",
            "The directory into which `cockpit sessions --push` puts closed sessions.",
        ),
        Setting(
            "archive.s3",
            "",
            "The bucket into which it puts them, and a prefix, as in `s3://releases/cockpit`.",
        ),
        Setting("archive.s3_endpoint", "", "Where the bucket's server answers, if it isn't Amazon's."),
        Setting(
            "archive.postgres",
            "",
            "Where to look up the connection string of the PostgreSQL database into which it puts them, written as "
            "`otel.token` is; one without a password may stand there itself.",
        ),
    )
}
"""Every setting there is."""

_TABLES = frozenset(key.partition(".")[0] for key in SETTINGS if "." in key)


@dataclass(frozen=True, slots=True)
class Settings:
    """The values in force, by key, and what was wrong with what somebody set, a sentence each."""

    values: Mapping[str, str]
    complaints: tuple[str, ...] = ()

    def __getitem__(self, key: str) -> str:
        return self.values[key]


def directory(env: Mapping[str, str] = os.environ) -> Path:
    """Where our files lie: under $XDG_CONFIG_HOME, or ~/.config where that is unset or relative."""
    config = Path(env.get("XDG_CONFIG_HOME", ""))
    return (config if config.is_absolute() else Path("~/.config").expanduser()) / "cockpit"


def read(env: Mapping[str, str] = os.environ, before: Settings | None = None) -> Settings:
    """The settings in force; whatever is wrong with one of them is a complaint, and changes nothing.

    `before` are those that were in force: they stay while the file, or the one that is wrong in it, is broken.
    """
    values = {key: setting.default for key, setting in SETTINGS.items()}
    stays = values if before is None else {**values, **before.values}
    complaints: list[str] = []
    path = directory(env) / "config.toml"
    try:
        text = own_text(path)
        data = tomllib.loads(text)
    except UNREADABLE as fault:
        text, data, values = "", {}, dict(stays)
        complaints.append(
            f"{path}: {why(fault)}. Nothing of it counts: what was in force stays until it is mended."
        )
    for key, said in _flat(data):
        value = SETTINGS[key].read(said) if key in SETTINGS else None
        if value is not None:
            values[key] = value
            continue
        where = f"{path}{_line(text, key)}"
        if key not in SETTINGS:
            complaints.append(
                f"{where}: {key} is no setting and changes nothing; there are {_beside(key, said)}."
            )
        else:
            values[key] = stays[key]
            complaints.append(_stays(f"{where}: {key} is {said!r}", values[key], SETTINGS[key]))
    for key, setting in SETTINGS.items():
        if said := env.get(setting.variable, ""):
            value = setting.read(said)
            if value is None:
                complaints.append(_stays(f"{setting.variable} is {said!r}", values[key], setting))
            values[key] = value or values[key]
    return Settings(values, tuple(visible(one) for one in complaints))


def _stays(what: str, value: str, setting: Setting) -> str:
    return f"{what}: it stays {value or 'unset'}; {setting.hint}."


def _flat(data: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Each key with what is said of it; those within one of our tables as `table.key`."""
    for key, said in data.items():
        if key in _TABLES and isinstance(said, dict):
            yield from ((f"{key}.{inner}", value) for inner, value in cast(dict[str, object], said).items())
        else:
            yield key, said


def _beside(key: str, said: object) -> str:
    """What there is where a setting that is none stands: its table's settings, those of no table, or the tables."""
    if isinstance(said, dict):
        return ", ".join(f"[{table}]" for table in sorted(_TABLES))
    table = key.rpartition(".")[0]
    return ", ".join(known for known in SETTINGS if known.rpartition(".")[0] == table)


def _line(text: str, key: str) -> str:
    """`:3` where the key, or the head of the table of that name, stands in the third line."""
    table = ""
    for n, line in enumerate(text.splitlines(), 1):
        if head := _HEAD.match(line):
            table, here = f"{head[1]}.", head[1]
        else:
            here = table + re.sub(r"[\s\"']", "", line.partition("=")[0])
        if here == key:
            return f":{n}"
    return ""


_HEAD = re.compile(r"\s*\[\s*(\w+)\s*\]")


UNREADABLE = (OSError, ValueError, RecursionError)
"""What comes of a file that isn't there for us, or isn't TOML."""


def why(fault: BaseException) -> str:
    """What was wrong, in words, without the file's name."""
    if isinstance(fault, OSError) and fault.strerror:
        return f"it can't be read: {fault.strerror}"
    if isinstance(fault, UnicodeDecodeError):
        line = fault.object.count(b"\n", 0, fault.start) + 1
        return f"line {line} isn't UTF-8: save the file as UTF-8"
    if isinstance(fault, tomllib.TOMLDecodeError):
        return _no_toml(str(fault))
    return "it is nested too deep" if isinstance(fault, RecursionError) else str(fault)


_PLACE = re.compile(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", re.DOTALL)
_WORDS = {
    "Invalid value": 'what stands behind the = is no value: text stands in quotes, as in key = "text"',
    "Cannot overwrite a value": "this key stands there a second time: keep one of the two",
    "Invalid statement": 'this isn\'t of the kind key = "text" or [section]',
    "Unterminated string": "a quote isn't closed",
    'Expected "': "a quote isn't closed",
    "Unescaped": "a \\ in a text is written twice",
    "Illegal character": "a quote isn't closed",
    "Expected '=' after": 'there is no = behind the key: write key = "text"',
    "Expected newline": "something is left over behind the value: one key a line",
    "Unclosed": "a bracket isn't closed",
    "Expected ']'": "a bracket isn't closed",
    "Cannot declare": "this section stands there a second time: put its keys under the first",
}
"""What tomllib says, as it begins, and what that means."""


def _no_toml(said: str) -> str:
    found = _PLACE.fullmatch(said)
    what = found["what"] if found else said
    words = next((plain for begins, plain in _WORDS.items() if what.startswith(begins)), f"no TOML: {what}")
    return f"line {found['line']}: {words}" if found and found["line"] else f"at its end: {words}"


def own_text(path: Path) -> str:
    """The text of a file that only its owner, us or root, can write; empty where there is none.

    ValueError says why it is none to go by, OSError why it can't be read.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return ""
    with open(fd, "rb") as file:
        if against := _against(os.fstat(fd)):
            raise ValueError(against)
        data = file.read(SIZE_MOST + 1)
    if len(data) > SIZE_MOST:
        raise ValueError(f"it has more than {SIZE_MOST // 1024} kB")
    return data.decode("utf-8")


def _against(found: os.stat_result) -> str:
    """What keeps us from going by a file, or empty."""
    if not stat.S_ISREG(found.st_mode):
        return "it is no file"
    if found.st_uid not in (0, os.geteuid()):
        return "it belongs to somebody else: make it yours (chown)"
    shared = found.st_mode & stat.S_IWGRP and not _private(found.st_gid)
    return (
        "others can write it: close it to them (chmod go-w)" if shared or found.st_mode & stat.S_IWOTH else ""
    )


def _private(group: int) -> bool:
    """Whether the group is ours alone, as where each user has one of their own name."""
    try:
        found, me = grp.getgrgid(group), pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return False
    return found.gr_name == me and set(found.gr_mem) <= {me}


# Themes, by name


def theme_files(env: Mapping[str, str] = os.environ) -> Sequence[Path]:
    """The files of the person's own themes."""
    return sorted((directory(env) / "themes").glob("*.toml"))


def themes(env: Mapping[str, str] = os.environ) -> Sequence[str]:
    """The names of the themes there are: those that come along, and the person's own."""
    every = [*shipped.directory("themes").glob("*.toml"), *theme_files(env)]
    return sorted({path.stem for path in every})


def no_theme(name: str, env: Mapping[str, str] = os.environ) -> str:
    """That there is no theme of that name, and which there are; empty where there is, or none is named."""
    if not name or name in (there := themes(env)):
        return ""
    return f"there is no theme {visible(name)}, so the look stays; there are: {', '.join(there)}"
