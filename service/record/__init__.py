"""The record: one gapless log per clinic, plugged into the ``eventsourcing`` library."""
