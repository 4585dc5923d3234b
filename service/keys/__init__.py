"""Keys: each plan is kept under a key of its own, and forgotten by destroying it.

Keys live in a store of their own – a vault file or another database –, wrapped by a master key that comes
from a file or the environment and never from a database. See docs/decisions/2026-11-28-a-key-for-each-plan.md.
"""

from service.keys.cipher import KeyCipher, key_id_of
from service.keys.master import Master, MasterKeyError
from service.keys.places import KeysLostError, KeysUnsetError, begun, open_keys, open_ring
from service.keys.ring import Ring
from service.keys.store import DESTROYED, KeyStore, Wrapped

__all__ = [
    "DESTROYED",
    "KeyCipher",
    "KeyStore",
    "KeysLostError",
    "KeysUnsetError",
    "Master",
    "MasterKeyError",
    "Ring",
    "Wrapped",
    "begun",
    "key_id_of",
    "open_keys",
    "open_ring",
]
