"""What a good plan means: every value in its place, references resolved, defaults filled in."""

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

import pytest

from cockpit.core.plan import (
    HERE,
    Gate,
    Notify,
    Person,
    Roles,
    RollbackTerms,
    SshSettings,
    Step,
    Target,
    Window,
)
from cockpit.core.slices import slices_of
from cockpit.steps import commands
from tests.planfile.plans import PLAN, changed, check, good


def test_the_bytes_and_their_hash_ride_along() -> None:
    checked = check(PLAN)
    assert checked.data == PLAN.encode()
    assert checked.sha256 == sha256(PLAN.encode()).hexdigest()
    assert (checked.problems, checked.warnings) == ((), ())


def test_a_small_plan_has_strict_defaults() -> None:
    plan = good()
    assert plan.roles == Roles("dana", "lee")
    assert plan.people == (Person("dana", "dana"), Person("lee", "lee"))
    assert (plan.ssh, plan.window, plan.rollback) == (SshSettings(), None, RollbackTerms())
    assert plan.target("web-2") == Target("web-2", "10.0.0.12", None, None, ("web",))
    assert plan.step("switch") == Step(
        "switch",
        run="switch {version}",
        rollback="switch {previous_version}",
        verify_rollback="health {previous_version}",
        timeout=timedelta(minutes=5),
    )
    stage = plan.stages[0]
    assert (stage.waves, stage.max_parallel, stage.max_failed, stage.bake_time) == (
        ("rest",),
        None,
        0,
        timedelta(0),
    )
    assert [w.targets for w in slices_of(plan)[0]] == [(HERE,), ("web-1", "web-2")]
    assert commands(plan, stage, plan.step("switch"), "web-1").run == "switch 2"


def test_durations_and_variables() -> None:
    more = 'bake_time = "1h30m"\nmax_parallel = 2\nwaves = [1, "50%", "rest"]\nvars = { percent = 25, name = "x" }\n'
    more += 'gate = { approvers = ["dana", "rollback_owner"], timeout = "1d" }\n'
    stage = good(more=more).stages[0]
    assert (stage.bake_time, stage.waves) == (timedelta(minutes=90), (1, "50%", "rest"))
    assert dict(stage.vars) == {"percent": "25", "name": "x"}
    assert stage.gate == Gate(("dana", "rollback_owner"), "", timedelta(days=1))


def test_ranges_stand_for_many_targets() -> None:
    more = (
        'web-2 = { host = "10.0.0.12"',
        '"cache-[08-11]" = { host = "10.0.1.[8-11]", port = 2222, user = "x"',
    )
    plan = good(more)
    assert [(t.id, t.host, t.port, t.user) for t in plan.targets[1:]] == [
        (f"cache-{n:02}", f"10.0.1.{n}", 2222, "x") for n in range(8, 12)
    ]
    assert len(plan.expand(("web",))) == 5


def test_the_window_is_stored_in_utc() -> None:
    more = (
        '[window]\nopens = 2026-11-24T10:00:00\ncloses = 2026-11-24T13:00:00\ntimezone = "America/New_York"\n'
    )
    more += 'freeze = [{ from = 2026-11-26, to = 2026-11-30, why = "sales" }]\n'
    more += "[people]\nlee = {}\ndana = { on_shift_until = 2026-11-24T15:00:00, os_user = 'dr', contact = '#d' }\n"
    plan = good(more=more)
    assert plan.window is not None
    assert plan.window == Window(
        datetime(2026, 11, 24, 15, tzinfo=UTC),
        datetime(2026, 11, 24, 18, tzinfo=UTC),
        "America/New_York",
        0,
        plan.window.freeze,
    )
    assert (plan.window.freeze[0].since, plan.window.freeze[0].until) == (
        date(2026, 11, 26),
        date(2026, 11, 30),
    )
    assert plan.people[1] == Person("dana", "dana", "#d", "dr", None, datetime(2026, 11, 24, 20, tzinfo=UTC))


def test_roles_of_your_own() -> None:
    plan = good(
        ('rollback_owner = "lee"', 'rollback_owner = "lee"\ndba = "ann"\nstop_authority = ["dba", "max"]')
    )
    assert dict(plan.roles.others) == {"dba": "ann"}
    assert plan.roles.stop_authority == ("dba", "max")
    assert [p.id for p in plan.people] == ["dana", "lee", "ann", "max"]


def test_host_signals_are_built_in() -> None:
    plan = good(more='[[threshold]]\nsignal = "cpu"\nwhen = "> 90"\naction = "pause"\n' * 2)
    (cpu,) = plan.signals
    assert (cpu.name, cpu.source, cpu.interval, cpu.unit) == ("cpu", "host", timedelta(seconds=2), "%")
    assert (cpu.targets, dict(cpu.options)) == (("web-1", "web-2"), {"metric": "cpu"})
    assert [t.id for t in plan.thresholds] == ["cpu > 90", "cpu > 90 #2"]


def test_signals_know_their_targets_and_options() -> None:
    more = '[[signal]]\nname = "load"\nsource = "host"\ntargets = ["web-2"]\n'
    more += '[[signal]]\nname = "db"\nsource = "host"\nmetric = "disk"\n'
    more += '[[signal]]\nname = "errors"\nsource = "command"\nrun = "e"\ntargets = ["web", "web-1"]\ninterval = "1s"\n'
    more += '[[signal]]\nname = "queue"\nsource = "command"\nrun = "q"\non = "here"\n'
    more += '[[threshold]]\nsignal = "load"\noutside = [0.5, 8]\naction = "notify"\nobserve_only = true\n'
    plan = good(more=more)
    assert [(s.name, s.targets, dict(s.options)) for s in plan.signals] == [
        ("load", ("web-2",), {"metric": "load"}),
        ("db", ("web-1", "web-2"), {"metric": "disk"}),
        ("errors", ("web-1", "web-2"), {"run": "e"}),
        ("queue", (HERE,), {"run": "q"}),
    ]
    assert [s.interval.total_seconds() for s in plan.signals] == [2, 2, 1, 10]
    assert plan.signal("db").unit == "%"
    assert plan.threshold("load outside 0.5..8").outside == (0.5, 8)


def test_a_threshold_keeps_every_key() -> None:
    more = '[[threshold]]\nsignal = "memory"\nwhen = "<= -2.5"\nfor = "2m"\naction = "escalate"\n'
    more += 'escalate_to = ["+1 555"]\n'
    more += 'aggregate = "median"\nmin_samples = 3\nstale_after = "9s"\nno_data = "breach"\nagreed_by = ["dana"]\n'
    more += 'message = "m"\n'
    (limit,) = good(more=more).thresholds
    assert (limit.id, limit.op, limit.limit, limit.for_) == (
        "memory <= -2.5",
        "<=",
        -2.5,
        timedelta(minutes=2),
    )
    assert (limit.aggregate, limit.min_samples, limit.stale_after, limit.no_data) == (
        "median",
        3,
        timedelta(seconds=9),
        "breach",
    )
    assert (limit.agreed_by, limit.escalate_to, limit.message) == (("dana",), ("+1 555",), "m")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("start", "start"), ("close", "close"), ("web", "stage:web"), ("stage:web", "stage:web")],
)
def test_what_a_checklist_item_holds_back(written: str, meant: str) -> None:
    item = f'[[checklist]]\nid = "a"\ntext = "Backup restored on staging"\nowner = "dana"\nbefore = "{written}"\n'
    assert good(more=item).item("a").before == meant


def test_notify() -> None:
    plan = good(more='[[notify]]\non = ["pause", "completed", "unattended"]\nrun = "tell {message}"\n')
    assert plan.notify == (Notify(("pause", "completed", "unattended"), "tell {message}"),)


def test_a_limit_may_clear_later_than_it_is_reached() -> None:
    limit = '[[threshold]]\nsignal = "cpu"\nwhen = "> 90"\nclears_at = 70\naction = "pause"\n'
    assert good(more=limit).thresholds[0].clears_at == 70.0


def test_a_number_that_people_enter_is_judged_and_late_after_its_interval() -> None:
    entered = '[[signal]]\nname = "{0}"\nsource = "manual"\nowner = "rollback_owner"\nunit = "open"\n'
    limit = '[[threshold]]\nsignal = "{0}"\nwhen = ">= 5"\naction = "pause"\n'
    more = entered.format("tickets") + 'interval = "5m"\n' + entered.format("calls")
    more += limit.format("tickets") + limit.format("calls") + limit.format("tickets") + 'stale_after = "1h"\n'
    checked = changed(more=more)
    assert checked.warnings == ()
    plan = good(more=more)
    assert [(s.name, s.targets, s.interval, s.owner) for s in plan.signals] == [
        ("tickets", (HERE,), timedelta(minutes=5), "rollback_owner"),
        ("calls", (HERE,), timedelta(minutes=10), "rollback_owner"),
    ]
    assert [t.stale_after for t in plan.thresholds] == [
        timedelta(minutes=5),
        timedelta(minutes=10),
        timedelta(hours=1),
    ]
