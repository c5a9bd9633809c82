"""Where the files that come along are: themes and sample plans."""

from __future__ import annotations

from pathlib import Path


def directory(name: str) -> Path:
    """The directory `name` ("themes", "sample-plans"): in the package when installed, else in the checkout.

    FileNotFoundError where it is in neither: the installation is broken.
    """
    package = Path(__file__).parent
    for parent in (package, package.parent.parent):
        if (found := parent / name).is_dir():
            return found
    raise FileNotFoundError(f"{name} is missing beside {package}: install cockpit again")
