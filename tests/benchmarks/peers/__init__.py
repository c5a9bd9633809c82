"""Cockpit beside the tools that people use instead, at the same work on the same real OpenSSH server."""
