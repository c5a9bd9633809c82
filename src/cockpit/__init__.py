"""Cockpit: a terminal cockpit for production releases."""

__version__ = "0.1.0"
