"""A policy change, reviewed: what two worlds differ in, and what the other would have done."""
