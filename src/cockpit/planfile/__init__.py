"""The plan file: TOML text to a checked plan, every problem with its line."""

from cockpit.planfile.checked import Checked, load, parse
from cockpit.planfile.problem import Problem
from cockpit.planfile.reference import schema

__all__ = ["Checked", "Problem", "load", "parse", "schema"]
