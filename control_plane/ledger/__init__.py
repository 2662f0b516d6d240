"""The ledger as the centre sees it: heads, worlds, and the verifier."""
