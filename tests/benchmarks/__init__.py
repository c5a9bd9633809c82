"""Benchmarks: each prints ours beside a floor measured in the same run."""
