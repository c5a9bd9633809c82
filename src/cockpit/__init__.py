"""Cockpit: a terminal cockpit for production releases."""
