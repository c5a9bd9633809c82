"""The rules of a release, pure: no I/O, no clock, no chance."""
