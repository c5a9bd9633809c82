"""What keeps a PostgreSQL database from taking sessions, in words that say what to do."""

from __future__ import annotations

import re

from cockpit.core.errors import ArchiveLost, NotArchived
from cockpit.core.expect import brief

LOGIN: tuple[tuple[str, str], ...] = (
    (r"timeout expired|timed out", "timeout"),
    (r"connection refused|no such file or directory|network is unreachable|no route to host", "refused"),
    (r"resolve|could not translate host name|name or service not known|nodename nor servname", "name"),
    (r"no password supplied|empty password", "no password"),
    (r"authentication failed|password authentication", "password"),
    (r"no pg_hba\.conf entry|pg_hba\.conf rejects", "hba"),
    (r"certificate|does not support SSL|SSL", "ssl"),
    (r'database ".*" does not exist', "database"),
    (r'role ".*" (does not exist|is not permitted to log in)', "role"),
    (r"too many (clients|connections)|remaining connection slots", "full"),
    (r"starting up|shutting down|in recovery mode|not yet accepting", "starting"),
)
"""How the words of a failed login begin to tell what is wrong."""


def text_of(fault: BaseException) -> str:
    """What the server or libpq said, in one short line."""
    return brief(" ".join(str(fault).split()))


def at_login(said: str, connect_s: float) -> ArchiveLost:
    """Why there is no connection. `said` holds no secret any more."""
    kind = next((kind for words, kind in LOGIN if re.search(words, said, re.IGNORECASE)), "")
    match kind:
        case "timeout":
            return ArchiveLost(
                f"the database didn't answer within {connect_s:g} s: see host, port and firewall."
            )
        case "refused":
            return ArchiveLost(f"no database answers there: start it, or see host and port ({said}).")
        case "name":
            return ArchiveLost(
                f"the database's host isn't known here: see its name in archive.postgres ({said})."
            )
        case "no password":
            return ArchiveLost(
                "the database asks for a password: write it into ~/.pgpass, or have archive.postgres look it up."
            )
        case "password":
            return ArchiveLost(f"the database doesn't take the user or the password: see both ({said}).")
        case "hba":
            return ArchiveLost(
                f"the database lets nobody in from here: add a line to its pg_hba.conf ({said})."
            )
        case "ssl":
            return ArchiveLost(f"the encrypted connection failed: see sslmode and sslrootcert ({said}).")
        case "database":
            return ArchiveLost(
                f"there is no such database: make it, or see its name in archive.postgres ({said})."
            )
        case "role":
            return ArchiveLost(f"the database has no such user: make it with CREATE ROLE … LOGIN ({said}).")
        case "full":
            return ArchiveLost("the database takes no more connections: push again later.")
        case "starting":
            return ArchiveLost("the database is starting or shutting down: push again later.")
        case _:
            return ArchiveLost(f"the database can't be reached: see archive.postgres ({said}).")


def at_work(state: str, said: str, user: str, closed: bool) -> NotArchived:
    """What went wrong once there was a connection; `state` is the SQLSTATE. `said` holds no secret any more."""
    match state:
        case "42501":
            role = user.replace('"', '""')
            return ArchiveLost(
                f"{user} lacks rights ({said}). Ask the database's owner to run, where the tables are missing: CREATE "
                f'SCHEMA cockpit AUTHORIZATION "{role}"; where somebody else made them: GRANT USAGE ON SCHEMA cockpit '
                f'TO "{role}"; GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA cockpit TO "{role}";'
            )
        case "53100" | "53200" | "54000":
            return ArchiveLost(f"the database has no room ({said}): free its disk, then push again.")
        case "57014":
            return NotArchived(
                "a statement took longer than 60 s: push again when the database has less to do."
            )
        case "55P03":
            return NotArchived("somebody else works on it there, longer than 10 s: push again later.")
        case "25006":
            return ArchiveLost("the database only reads, as a replica does: name the one that is written to.")
        case "22P05" | "22021":
            return NotArchived(
                f"the database can't hold a character of it ({said}): make one with ENCODING 'UTF8'."
            )
        case _ if closed or state[:2] in ("08", "57"):
            return ArchiveLost(f"the connection broke ({said}): push again, which looks first what was kept.")
        case _ if state[:2] in ("42", "3F"):
            return ArchiveLost(
                f"the tables in the schema cockpit aren't as cockpit made them ({said}): set them right, or rename it."
            )
        case _ if state[:2] == "23":
            return NotArchived(
                f"a rule on the tables in the schema cockpit that isn't cockpit's refused it ({said}): remove it, then "
                "push again."
            )
        case _:
            return NotArchived(f"the database refused it ({said}): push again, and see the database's log.")
