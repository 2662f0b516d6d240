"""Text in, audio out: normalised, cut into clauses, pronounced, and spoken by small voices."""
