"""In the journal a playbook's run is one entry; what became of it is told target by target."""

from __future__ import annotations

from dataclasses import replace

from cockpit.core import commands as cmd
from cockpit.core import events as ev
from cockpit.core.journal import say
from cockpit.core.plan import Stage
from cockpit.tui.panes.journal_entries import Entries, together
from tests.core.plans import APP, SWITCH, Session, plan, web


def told(session: Session, many: bool = False) -> list[str]:
    """What the journal says of its steps, an entry each."""
    entries = Entries(many)
    steps = [e for e in session.log if isinstance(e, ev.StepIntended | ev.StepFinished)]
    done = [entry for event in steps for entry in entries.add(event)] + entries.rest()
    return [
        together(entry, session.plan) or say(entry[-1], session.plan, session.state.find) for entry in done
    ]


def in_a_run(count: int) -> Session:
    """Everywhere the switch is done, and the playbook runs."""
    stage = Stage("web", ("switch", "app"), ("web",))
    session = Session(plan(targets=web(count), steps=(replace(SWITCH, verify=None), APP), stages=(stage,)))
    session.start()
    session.finish(proven=False)
    return session


def test_a_run_is_one_entry_and_the_end_on_each_target_its_own() -> None:
    s = in_a_run(3)
    s.finish("web-2", as_="failed", tick=False)
    s.finish("web-1", "web-3", tick=False)
    assert told(s)[-4:] == [
        "app about to run by Ansible on web-[1-3]",
        "app on web-2: failed, exit code 1, in 2 s",
        "app on web-1: succeeded, verified, exit code 0, in 2 s",
        "app on web-3: succeeded, verified, exit code 0, in 2 s",
    ]


def test_a_run_for_one_and_one_back_say_so_too() -> None:
    s = in_a_run(1)
    assert told(s)[-1] == "app on web-1: about to run by Ansible"
    s = in_a_run(2)
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.finish()
    assert told(s)[-1] == "rollback of app about to run by Ansible on web-1, web-2"


def test_on_a_large_fleet_it_says_as_much() -> None:
    s = in_a_run(60)
    assert "app about to run by Ansible on 60 targets" in told(s, many=True)[-1]
    s.at = s.at.replace(minute=s.at.minute + 1)
    s.do(cmd.RollBack(s.at, "lee", reason="orders fall"))
    s.finish()
    assert "rollback of app about to run by Ansible on" in told(s, many=True)[-1]
