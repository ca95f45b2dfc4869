"""Audit events, Merkle log, signed checkpoints and their verification.

`event` says what happened (PS3.15 A.5), `log` hashes it (RFC 9162), `checkpoint` signs the hash
(C2SP signed note), `verify` names the first entry that does not hold. Nothing here opens a database.
"""
