"""Each error ends the program with the exit code that scripts rely on."""

from cockpit.core import errors


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
        "RemoteError": 2,
    }
    assert errors.CockpitError.exit_code == 1
