"""The node's ledger: on disk before anything is heard, signed, and shown to the centre."""
