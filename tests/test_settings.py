"""Settings: flags beat variables, variables beat the file, and what is wrong changes nothing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cockpit import settings, shipped
from cockpit.cli.arguments import THEMES
from cockpit.cli.attending import said_to_be
from cockpit.settings import SETTINGS, own_text, read, themes

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "configuration.md").read_text()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "cockpit" / "themes").mkdir(parents=True)
    return tmp_path


def written(home: Path, text: str, **env: str) -> settings.Settings:
    (home / "cockpit" / "config.toml").write_text(text)
    return read({"XDG_CONFIG_HOME": str(home), **env})


def test_without_a_file_the_defaults_stand(tmp_path: Path) -> None:
    found = read({"XDG_CONFIG_HOME": str(tmp_path)})
    assert dict(found.values) == {key: setting.default for key, setting in SETTINGS.items()}
    assert found.complaints == ()


def test_the_file_counts_and_a_variable_beats_it(home: Path) -> None:
    text = 'theme = "calm-light"\nas = "dana"\nbell = "any alarm"\ntitle = false\nprogress = "on"\n'
    found = written(home, text, COCKPIT_BELL="your-move", COCKPIT_AS="lee")
    assert found.complaints == ()
    assert {key: found[key] for key in ("theme", "as", "bell", "title", "progress")} == {
        "theme": "calm-light",
        "as": "lee",
        "bell": "your move",
        "title": "off",
        "progress": "on",
    }


def test_a_setting_of_a_table_counts_and_a_wrong_one_is_named_with_its_line(home: Path) -> None:
    text = 'as = "dana"\n\n[archive]\ndirectory = "/srv/releases"\nbucket = "s3://x"\n\n[otel]\ntoken = 3\n'
    found = written(home, text, COCKPIT_ARCHIVE_S3="s3://releases/cockpit")
    assert (found["archive.directory"], found["archive.s3"], found["otel.token"]) == (
        "/srv/releases",
        "s3://releases/cockpit",
        "",
    )
    bucket, token = found.complaints
    assert bucket == (
        f"{home}/cockpit/config.toml:5: archive.bucket is no setting and changes nothing; there are archive.directory, "
        "archive.s3, archive.s3_endpoint, archive.postgres."
    )
    assert token.startswith(f"{home}/cockpit/config.toml:8: otel.token is 3: it stays unset")


def test_a_table_in_a_line_is_a_table_too_and_a_word_is_none(home: Path) -> None:
    assert written(home, 'archive.directory = "/srv/releases"\n')["archive.directory"] == "/srv/releases"
    assert written(home, 'archive = { directory = "/srv/a" }\n')["archive.directory"] == "/srv/a"
    (said,) = written(home, 'archive = "/srv/releases"\n').complaints
    assert ":1: archive is no setting" in said and "there are theme, as, bell, title, progress." in said
    (said,) = written(home, '[archiv]\ndirectory = "/srv/releases"\n').complaints
    assert said.endswith(
        "config.toml:1: archiv is no setting and changes nothing; there are [annotations], [archive], [otel]."
    )


@pytest.mark.parametrize("named", ["", "relative/config"])
def test_without_a_config_home_it_is_the_usual_place(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/dana")
    assert settings.directory({"XDG_CONFIG_HOME": named}) == Path("/home/dana/.config/cockpit")


def test_a_key_that_is_none_is_named_with_its_line_and_the_rest_counts(home: Path) -> None:
    found = written(home, '# mine\nbel = "off"\nas = "dana"\n')
    assert found["as"] == "dana"
    (said,) = found.complaints
    assert said.startswith(f"{home}/cockpit/config.toml:2: bel is no setting")
    assert "theme, as, bell, title, progress" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('bell = "loud"', ":1: bell is 'loud': it stays your move; write one of your move, any alarm, off"),
        ("bell = 3", "bell is 3"),
        ("theme = true\nas = 7", ":2: as is 7: it stays unset"),
        ('title = "maybe"', "title is 'maybe': it stays on; write one of on, off"),
        ('as = "a\\u001bb"', "as is 'a"),
    ],
)
def test_a_value_that_cannot_be_says_what_stays_and_what_to_write(home: Path, text: str, said: str) -> None:
    found = written(home, text)
    assert any(said in one for one in found.complaints), found.complaints
    assert found["bell"] == "your move"


def test_a_variable_that_cannot_be_leaves_the_file_in_force(home: Path) -> None:
    found = written(home, 'bell = "off"\n', COCKPIT_BELL="loud\x1b[2J", COCKPIT_TITLE="")
    assert found["bell"] == "off"
    (said,) = found.complaints
    assert said.startswith("COCKPIT_BELL is 'loud") and "it stays off" in said and "\x1b" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"theme = \n", "line 1"),
        (b'theme = "calm-light"\n\xff', "line 2 isn't UTF-8: save the file as UTF-8"),
        (
            b"bell = off\n",
            'line 1: what stands behind the = is no value: text stands in quotes, as in key = "text"',
        ),
        (b'bell = "off\n', "line 1: a quote isn't closed"),
        (b'bell = "off"\nbell = "off"\n', "this key stands there a second time"),
        (b'"', "a quote isn't closed"),
        (b"a = " + b"[" * 2000 + b"]" * 2000, "nested"),
        (b"#" * 70_000, "64 kB"),
    ],
)
def test_a_broken_file_is_one_complaint_and_the_defaults_stand(home: Path, text: bytes, said: str) -> None:
    (home / "cockpit" / "config.toml").write_bytes(text)
    found = read({"XDG_CONFIG_HOME": str(home)})
    assert found["theme"] == ""
    (complaint,) = found.complaints
    assert "config.toml" in complaint and said in complaint and "Nothing of it counts" in complaint


def test_a_value_that_is_wrong_keeps_the_one_from_before_and_says_which_that_is(home: Path) -> None:
    before = written(home, 'bell = "off"\ntheme = "mono"\n')
    (home / "cockpit" / "config.toml").write_text('bell = "loud"\n')
    after = read({"XDG_CONFIG_HOME": str(home)}, before)
    assert (after["bell"], after["theme"]) == ("off", "")
    assert "bell is 'loud': it stays off" in after.complaints[0]
    assert read({"XDG_CONFIG_HOME": str(home)}, after)["bell"] == "off"
    (home / "cockpit" / "config.toml").write_text("")
    assert read({"XDG_CONFIG_HOME": str(home)}, after)["bell"] == "your move"


@pytest.mark.parametrize(
    "text", ["a = ", "a", "[x", "a='", "a=1\na=2", "[a]\n[a]", "a=1 b", "a=[", "= 1", 'a="\\q"']
)
def test_no_mistake_of_toml_is_told_in_the_words_of_a_parser(home: Path, text: str) -> None:
    (complaint,) = written(home, text).complaints
    assert not re.search("no TOML|document|statement|declare|overwrite|nescaped", complaint), complaint


def test_a_file_that_others_can_write_does_not_count(home: Path) -> None:
    path = home / "cockpit" / "config.toml"
    path.write_text('as = "dana"\n')
    path.chmod(0o646)
    found = read({"XDG_CONFIG_HOME": str(home)})
    assert found["as"] == ""
    assert "others can write it" in found.complaints[0] and "chmod go-w" in found.complaints[0]
    path.chmod(0o600)
    assert read({"XDG_CONFIG_HOME": str(home)})["as"] == "dana"


def test_a_file_of_somebody_else_does_not_count(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = home / "cockpit" / "config.toml"
    path.write_text('as = "dana"\n')
    os.chmod(path, 0o600)
    own = os.geteuid()
    found = os.stat_result((0o100600, 0, 0, 1, own + 1, 0, 12, 0, 0, 0))
    monkeypatch.setattr(os, "fstat", lambda fd: found)
    assert "belongs to somebody else" in read({"XDG_CONFIG_HOME": str(home)}).complaints[0]


def test_what_is_no_file_is_never_waited_for(home: Path) -> None:
    os.mkfifo(home / "cockpit" / "config.toml")
    assert "it is no file" in read({"XDG_CONFIG_HOME": str(home)}).complaints[0]
    with pytest.raises(OSError):
        own_text(home / "cockpit")


def test_who_one_is_by_flag_variable_and_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Args:
        me = ""

    args = Args()
    (home / "cockpit" / "config.toml").write_text('as = "dana"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    assert said_to_be(args) == "dana"  # type: ignore[arg-type]
    monkeypatch.setenv("COCKPIT_AS", "lee")
    assert said_to_be(args) == "lee"  # type: ignore[arg-type]
    args.me = "kim"
    assert said_to_be(args) == "kim"  # type: ignore[arg-type]


def test_what_is_wrong_is_told_once_on_the_command_line(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Args:
        me = ""

    (home / "cockpit" / "config.toml").write_text("as = 7\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    for _ in range(2):
        assert said_to_be(Args()) == ""  # type: ignore[arg-type]
    assert capsys.readouterr().err.count("as is 7") == 1


def test_a_person_s_own_themes_are_there_beside_those_that_come_along(home: Path) -> None:
    (home / "cockpit" / "themes" / "mine.toml").write_text("")
    every = themes({"XDG_CONFIG_HOME": str(home)})
    assert "mine" in every and "calm-dark" in every


def test_the_help_names_every_theme_that_comes_along() -> None:
    assert set(THEMES.split(", ")) == {path.stem for path in shipped.directory("themes").glob("*.toml")}


# The page


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda s: s.key)
def test_every_setting_stands_in_the_page_as_it_is(setting: settings.Setting) -> None:
    values = ", ".join(f'`"{choice}"`' for choice in setting.choices) or "any word"
    default = f'`"{setting.default}"`' if setting.default else "none"
    assert f"| `{setting.key}` | `{setting.variable}` | {values} | {default} | {setting.does} |" in PAGE


def test_the_page_s_example_is_read_without_a_complaint(home: Path) -> None:
    examples = re.findall(r"```toml\n# config\.toml\n(.*?)```", PAGE, re.DOTALL)
    assert examples
    for example in examples:
        assert written(home, example).complaints == ()


def test_every_variable_of_ours_stands_in_the_page() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r"\bCOCKPIT_[A-Z_]*[A-Z]\b", sources)) | {s.variable for s in SETTINGS.values()}
    assert [name for name in sorted(named) if f"`{name}`" not in PAGE] == []


def test_every_theme_that_comes_along_stands_in_the_page() -> None:
    assert [name for name in THEMES.split(", ") if f"`{name}`" not in PAGE] == []
