"""The ledger: each clinic's entries and looks sealed into Merkle trees that anybody can check.

Law of this room: ``tree``, ``tiles``, ``notes`` and ``leaves`` are formats and arithmetic, without I/O. Only
``signing`` and ``keys`` know a private key, and nothing that the API runs may import them. Nothing here
ever needs the plain words of an entry: what is sealed is the SHA-256 of what is stored.
"""
