"""People, their time and their word, as a plan says it: windows, shifts, gates, roles and items to sign."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cockpit.core import checklist, people
from cockpit.core.plan import ChecklistItem, Gate, Person, Roles
from cockpit.core.state import initial
from cockpit.planfile import Checked, load, parse
from tests.planfile.plans import PLAN, changed, check, good, places, said

WINDOW = '[window]\nopens = 2026-11-24T10:00:00\ncloses = 2026-11-24T13:00:00\ntimezone = "Europe/Berlin"\n'
CLOSES = datetime(2026, 11, 24, 12, tzinfo=UTC)
OWNER = 'rollback_owner = "lee"\n'
KNOWN = '[people]\ndana = { os_user = "druiz" }\nlee = { os_user = "lchen" }\n'


def item(text: str, more: str = "") -> str:
    return f'[[checklist]]\nid = "a"\ntext = "{text}"\nowner = "dana"\n{more}'


# The window, and who is there


def test_a_window_that_is_over_is_told_where_there_is_a_clock(tmp_path: Path) -> None:
    text, path = PLAN + WINDOW, tmp_path / "plan.toml"
    path.write_text(text)
    over = ["31:10: this window is over: nothing can start in it"]
    for now, told in ((None, []), (CLOSES - timedelta(seconds=1), []), (CLOSES, over)):
        for checked in (parse(text.encode(), "plan.toml", now), load(path, now)):
            assert checked.plan is not None
            assert places(checked.warnings) == told


def test_nothing_follows_from_a_window_that_could_not_be_read() -> None:
    freeze = (
        'freeze = [{ from = 2026-11-20, why = "x" }, { from = 2026-11-20, to = 2026-11-30, why = "x" }]\n'
    )
    text = PLAN + WINDOW.replace("Berlin", "Berln") + freeze + "min_staff = 9\n"
    checked = parse(text.encode(), "plan.toml", CLOSES)
    assert [p.line for p in checked.problems] == [32, 33]
    assert checked.warnings == ()


def test_a_window_that_closes_as_it_opens_is_none() -> None:
    assert said(changed(more=WINDOW.replace("T13", "T10"))) == ["31:10: the window closes before it opens"]


def test_a_calendar_and_whoever_is_on_shift() -> None:
    more = WINDOW + 'min_staff = 2\nfreeze_calendar = "../freezes.ics"\n[people]\nlee = {}\n'
    more += 'dana = { timezone = "Asia/Tokyo", on_shift_until = 2026-11-24T21:00:00 }\n'
    checked = changed(more=more)
    assert (checked.problems, checked.warnings) == ((), ())
    plan = good(more=more)
    assert plan.window is not None
    assert plan.window.freeze_calendar == "../freezes.ics"
    assert plan.people == (
        Person("lee", "lee"),
        Person("dana", "dana", on_shift_until=CLOSES, timezone="Asia/Tokyo"),
    )


def test_a_shift_may_name_its_own_offset_and_needs_no_window_then() -> None:
    for zone in ("", 'timezone = "Asia/Tokyo", '):
        more = f"[people]\nlee = {{}}\ndana = {{ {zone}on_shift_until = 2026-11-24T10:00:00+01:00 }}\n"
        assert good(more=more).people[1].on_shift_until == datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_a_shift_that_ends_early_matters_of_those_who_hold_roles() -> None:
    shift = "kim = { on_shift_until = 2026-11-24T09:00:00 }\n"
    roles = (
        'rollback_owner = "lee"',
        'rollback_owner = "lee"\nsupport_liaison = "kim"\ndatabase_owner = "kim"',
    )
    assert changed(more=WINDOW + KNOWN + shift).warnings == ()
    assert [p.message for p in changed(roles, more=WINDOW + KNOWN + shift).problems] == [
        "this shift ends before the window opens: nobody on shift is `support_liaison` and `database_owner`"
    ]


def test_staff_is_not_counted_where_somebody_could_not_be_read() -> None:
    more = WINDOW + "min_staff = 3\n" + KNOWN
    assert said(changed(more=more + "kim = 5\n")) == ["37:7: `kim` must be a table, not a number"]
    assert said(changed(more=WINDOW + "min_staff = 3\n[[people]]\nid = 5\n"))[0].startswith("34:3: `people`")


def test_a_freeze_is_measured_in_the_days_of_the_windows_zone() -> None:
    """The night to 25 October has three hours from one to three: the clocks go back."""
    window = WINDOW.replace("2026-11-24T10", "2026-10-25T00").replace("2026-11-24T13", "2026-10-25T06")
    frozen = window + 'freeze = [{ from = 2026-10-20, to = 2026-10-24, why = "x" }]\n'
    assert changed(more=frozen).warnings == ()
    earlier = frozen.replace("2026-10-25T00", "2026-10-24T22")
    assert [p.message for p in changed(more=earlier).warnings] == [
        "2:00:00 of the window's 9:00:00 are frozen: nothing begins in them"
    ]


def test_a_freeze_that_holds_a_shorter_one_overlaps_with_a_later_one_too() -> None:
    days = [(1, 20), (3, 4), (10, 30), (31, 31)]
    freezes = ", ".join(f'{{ from = 2027-01-{a:02}, to = 2027-01-{b:02}, why = "x" }}' for a, b in days)
    assert [p.message for p in changed(more=f"{WINDOW}freeze = [{freezes}]\n").warnings] == [
        "this freeze and the one from 2027-01-01 to 2027-01-20 overlap"
    ] * 2


def test_a_shift_at_the_ends_of_the_calendar_can_be_shown_to_everybody() -> None:
    shift = "[people]\nlee = {{}}\ndana = {{ timezone = 'Asia/Tokyo', on_shift_until = {0} }}\n"
    for moment in ("0001-01-01T03:00:00Z", "0001-01-01T10:00:00", "9999-12-31T23:59:59"):
        for more in (WINDOW.replace("Europe/Berlin", "America/New_York"), ""):
            (problem,) = changed(more=more + shift.format(moment)).problems
            assert problem.message == "no calendar reaches this time"
    assert changed(more=WINDOW + shift.format("9999-12-31T00:00:00")).problems == ()


def test_what_nobody_would_write_is_checked_quickly() -> None:
    freeze = '[[window.freeze]]\nfrom = 2026-12-01\nto = 2026-12-09\nwhy = "x"\n'
    assert len(changed(more=WINDOW + freeze * 2000).warnings) == 1000
    nowhere = "".join(f'p{n} = {{ timezone = "Nowhere/{n}" }}\n' for n in range(2000))
    assert len(changed(more=f"{WINDOW}[people]\n{nowhere}").problems) == 1000


# Roles


def test_go_authority_and_typed_names() -> None:
    keys = 'go_authority = ["kim", "dba", "kim"]\ntyped_names = true\ndba = "ann"\n'
    plan = good((OWNER, OWNER + keys))
    assert plan.roles == Roles(
        "dana", "lee", go_authority=("kim", "dba"), typed_names=True, others={"dba": "ann"}
    )
    assert [p.id for p in plan.people] == ["dana", "lee", "ann", "kim"]
    assert people.promoters(plan) == ("dana", "kim", "ann")


@pytest.mark.parametrize(
    ("written", "meant"),
    [('go_authorty = ["dana"]', "go_authority"), ("typed_name = true", "typed_names"), ("dba = 5", '"5"')],
)
def test_a_role_that_is_none_is_taken_for_what_it_is_like(written: str, meant: str) -> None:
    (problem,) = changed((OWNER, f"{OWNER}{written}\n")).problems
    assert meant in problem.hint


@pytest.mark.parametrize("owner", ["", 'rollback_owner = ""\n', 'rollback_owner = " "\n'])
def test_a_plan_may_leave_open_who_leads_the_way_back(owner: str) -> None:
    more = 'gate = { approvers = ["decision_owner", "rollback_owner"], needs = 2, distinct = true }\n'
    more += item("The backup was restored on staging").replace('"dana"', '"rollback_owner"') + KNOWN
    checked = changed((OWNER, owner + 'stop_authority = ["rollback_owner", "dana"]\n'), more=more)
    assert [p.message for p in checked.warnings] == [
        "nobody holds rollback_owner: not ready until somebody does"
    ]
    plan = checked.plan
    assert plan is not None
    assert (plan.roles.rollback_owner, plan.roles.holder("rollback_owner")) == ("", None)
    assert [p.id for p in plan.people] == ["dana", "lee"]
    assert people.stoppers(plan) == ("dana",)
    state = initial(plan, ())
    assert checklist.missing(state, plan.checklist[0]) == ("rollback_owner",)


def test_roles_that_hold_each_other_are_held_by_nobody() -> None:
    roles = 'decision_owner = "{}"\nrollback_owner = "{}"\n'
    around = changed((roles.format("dana", "lee"), roles.format("rollback_owner", "decision_owner")))
    assert said(around) == [
        "9:18: `rollback_owner` is a role or reserved: nobody would hold `decision_owner`",
        "10:18: `decision_owner` is a role or reserved: nobody would hold `rollback_owner`",
    ]


def test_those_who_may_stop_are_whoever_holds_the_roles_where_the_plan_names_nobody() -> None:
    plan = good((OWNER, ""))
    assert people.stoppers(plan) == ("dana",)
    assert people.stoppers(good()) == ("dana", "lee")


def test_nothing_is_said_of_a_role_that_could_not_be_read() -> None:
    assert places(changed((OWNER, "rollback_owner = 5\n")).warnings) == []


# Gates


def test_a_gate_keeps_every_key() -> None:
    gate = 'gate = { approvers = ["dana", "rollback_owner"], needs = 2, distinct = true, timeout = "20m", '
    stage = good(more=gate + 'on_timeout = "rollback" }\n' + KNOWN).stages[0]
    assert stage.gate == Gate(("dana", "rollback_owner"), "", timedelta(minutes=20), 2, True, "rollback")
    usual = good(more='gate = { approvers = ["dana"] }\n').stages[0].gate
    assert usual == Gate(("dana",), "", None, 1, False, "pause")


def unknown(checked: Checked) -> list[str]:
    """Whom the warnings say to be known by nothing."""
    return [p.message.split("`")[1] for p in checked.warnings if "neither `os_user` nor `key`" in p.message]


def test_approvers_who_can_never_be_known_are_named_once() -> None:
    gate = 'gate = {{ approvers = ["decision_owner", "{0}"] }}\n'
    more = gate.format("lee") + '[[stage]]\nname = "b"\nsteps = ["flag"]\n' + gate.format("lee")
    assert unknown(changed(more=more)) == ["dana", "lee"]
    assert unknown(changed((OWNER, OWNER + "typed_names = true\n"), more=more)) == []
    assert unknown(changed((OWNER, OWNER + "typed_names = 5\n"), more=more)) == []
    assert unknown(changed(more=more + KNOWN)) == []
    assert unknown(changed(more=more + KNOWN.replace('os_user = "lchen"', ""))) == ["lee"]
    assert unknown(changed(more=more + KNOWN.replace('os_user = "lchen"', "os_user = 5"))) == []
    assert unknown(changed(more=more + KNOWN.replace('{ os_user = "lchen" }', "5"))) == []
    assert unknown(changed(more=more + "[[people]]\nlee = 5\n")) == []
    key = 'key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIETDjEdm0t5M+/clymUSRsmsQqv/xZyxY+KWf0TCFR18"'
    assert unknown(changed(more=more + KNOWN.replace('os_user = "lchen"', key))) == []


def test_nothing_follows_from_a_gate_that_could_not_be_read() -> None:
    for gate in ('approvers = "dana", needs = 3', 'approvers = ["dana"], on_timeout = "abort", timeout = 5'):
        checked = changed((OWNER, OWNER + "typed_names = true\n"), more=f"gate = {{ {gate} }}\n")
        assert (len(checked.problems), checked.warnings) == (1, ())


# Steps, items, customers


def test_a_step_that_tells_which_version_runs() -> None:
    line = 'previous = """\nversion --of {service} \\\\\n  --on {host}"""\n'
    step = good(
        ('rollback = "switch {previous_version}"\n', f'rollback = "switch {{previous_version}}"\n{line}')
    ).step("switch")
    assert step.previous == "version --of {service} \\\n  --on {host}"


def test_an_item_keeps_every_key() -> None:
    keys = (
        'check = "age --of {service}"\non = "web-2"\nexpect = "< 24"\nmax_age = "2h"\ndata_condition = "d"\n'
    )
    checked = changed(more=item("Backup", keys))
    assert (checked.problems, checked.warnings) == ((), ())
    assert checked.plan is not None
    assert checked.plan.checklist == (
        ChecklistItem(
            "a",
            "Backup",
            "dana",
            check="age --of {service}",
            on="web-2",
            expect="< 24",
            max_age=timedelta(hours=2),
            data_condition="d",
        ),
    )


@pytest.mark.parametrize(
    "expect", ["<= 1.5", "contains all rows restored", "matches ^rows: [0-9]+$", "in sync", " > 3 "]
)
def test_what_a_check_may_be_expected_to_print(expect: str) -> None:
    assert good(more=item("Backup restored on staging", f"check = 'age'\nexpect = '{expect}'\n"))


def test_an_expectation_that_cannot_be_read_is_told_shortly() -> None:
    for expect in ("< " + "9" * 9000 + "h", ">= " + "x" * 50_000):
        (problem,) = changed(
            more=item("Backup restored on staging", f"check = 'x'\nexpect = '{expect}'\n")
        ).problems
        assert (len(problem.message) < 150, bool(problem.hint)) == (True, True)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("verify monitoring", "which dashboard"),
        ("Make sure the dashboards look good!", "which dashboard"),
        ("Check logs", "which log"),
        ("All logs and errors checked", "which log"),
        ("test everything", "what was tried"),
        ("QA done, all tests green", "what was tried"),
        ("Team informed", "who was told"),
        ("Everything is ready and working", "with the number or place"),
        ("Backup restored", "with the number or place"),
    ],
)
def test_a_vague_item_is_told_what_is_missing(text: str, missing: str) -> None:
    (warning,) = changed(more=item(text)).warnings
    assert warning.message == f'"{text}" is vague: nobody can say when it is true'
    assert missing in warning.hint
    for more in ('check = "x"\n', 'link = "https://x"\n', 'healthy = "Below 2%"\n'):
        assert changed(more=item(text, more)).warnings == ()
    assert changed(more=item(f"{text} (5 min)")).warnings == ()


def test_an_item_that_names_what_is_true_is_not_vague() -> None:
    for text in (
        "Support knows whom to call",
        "Customers can pay",
        "Orders backup restored on staging",
        "Errors below 2",
    ):
        assert changed(more=item(text)).warnings == ()


@pytest.mark.parametrize(
    "impact", ["none", "None.", "N/A", "-", " none - ", "none: none", "none; n/a.", "no impact!"]
)
def test_customers_who_notice_nothing_need_a_why(impact: str) -> None:
    old = ('"EU receipts show the old tax line."', f'"{impact}"')
    assert [p.line for p in changed(old).problems] == [7]
    why = ('"EU receipts show the old tax line."', f'"{impact}: only the admin page changes"')
    assert changed(why).problems == ()


def test_a_plan_without_roles_or_people_says_only_that() -> None:
    text = PLAN.replace('[roles]\ndecision_owner = "dana"\nrollback_owner = "lee"\n', "")
    assert said(check(text)) == ["1:1: the plan lacks [roles]"]
    assert check(text).warnings == ()
