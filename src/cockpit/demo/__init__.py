"""The embedded fleet behind `cockpit demo`: real hosts in small, on loopback."""
