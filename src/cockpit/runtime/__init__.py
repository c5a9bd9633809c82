"""The engine at work: one loop that decides, records, acts and publishes."""
