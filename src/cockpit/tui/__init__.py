"""The screen: a release's state as styled lines, and keys that become commands."""
