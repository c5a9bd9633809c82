"""Where Ansible's programs are, and what each of them is told whatever else it is asked."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

ALWAYS: Mapping[str, str] = MappingProxyType(
    {
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
    }
)
"""Its environment; each beats ansible.cfg. A source that can't be read must not become a release without its hosts."""


def program(name: str) -> str | None:
    """Where one of Ansible's programs is: on the PATH, or beside our own Python; None where it isn't."""
    beside = Path(sys.executable).with_name(name)
    return shutil.which(name) or (str(beside) if os.access(beside, os.X_OK) else None)
