"""Where commands run: over SSH, on this machine, or on a script for tests and rehearsal."""
