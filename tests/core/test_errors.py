"""Each error ends the program with the exit code that scripts rely on."""

from cockpit.core import archived, errors


def test_every_error_has_its_exit_code() -> None:
    own = (e for e in errors.CockpitError.__subclasses__() if e.__module__ == errors.__name__)
    codes = {e.__name__: e.exit_code for e in own}
    assert codes == {
        "PlanError": 2,
        "UsageError": 2,
        "NotReady": 5,
        "Held": 6,
        "StillInDoubt": 4,
        "LogError": 75,
        "Broken": 1,
        "NotArchived": 1,
        "NoInventory": 2,
        "RemoteError": 2,
    }
    assert errors.CockpitError.exit_code == 1


def test_an_inventory_that_cannot_be_read_says_what_to_do_beside_what_happened() -> None:
    fault = errors.NoInventory("there is no inventory", "write its path")
    assert (str(fault), fault.hint) == ("there is no inventory", "write its path")


def test_an_archive_that_another_push_was_faster_at_has_not_failed() -> None:
    assert issubclass(errors.ArchiveLost, errors.NotArchived)
    assert not issubclass(archived.Overtaken, errors.CockpitError)
