"""What a treatment plan is: entries, rules, obligations.

Law of this room: pure Python. It may use the standard library and ``eventsourcing.domain``;
it does no I/O, asks for no time, reads no environment and draws no random number.
Whatever it needs from outside (the moment, a fresh id) is handed in.
"""
