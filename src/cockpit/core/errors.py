"""What can go wrong, by who is at fault: the plan, the person, or the machine under us."""


class CockpitError(Exception):
    """The root. `exit_code` is what the command line ends with (see the command line's contract)."""

    exit_code = 1


class PlanError(CockpitError):
    """The plan can't be used; the message lists every problem with its line."""

    exit_code = 2


class UsageError(CockpitError):
    """The command line asks for something that can't be."""

    exit_code = 2


class NotReady(CockpitError):
    """The release isn't ready; the message lists what is missing."""

    exit_code = 5


class Held(CockpitError):
    """Another driver has the service and environment, or a target; nothing was started."""

    exit_code = 6


class StillInDoubt(CockpitError):
    """The release can't go on: what became of a step isn't known. What runs on targets goes on."""

    exit_code = 4


class LogError(CockpitError):
    """The log can't be written or read; nothing further is dispatched."""

    exit_code = 75


class Broken(CockpitError):
    """Cockpit itself broke; nothing further is dispatched, what runs on targets goes on."""

    exit_code = 1


class NotArchived(CockpitError):
    """A session couldn't be put into an archive; nothing half is there, and the next push tries again."""

    exit_code = 1


class ArchiveLost(NotArchived):
    """The archive itself can't be used: no other session is tried there now."""


class NoInventory(CockpitError):
    """An inventory's hosts can't be known: what happened, and in `hint` what to do about it."""

    exit_code = 2

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class RemoteError(CockpitError):
    """A connection setting is unusable (a key, a known_hosts file); never a failed remote command."""

    exit_code = 2
