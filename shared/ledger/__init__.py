"""The ledger: what a node writes down of every session, so that others can check it (pure).

Records are chained and counted in a Merkle tree; heads of it are signed and published. What proves
them is `control_plane/ledger/verify.py`, which shares nothing with this on purpose.
"""
