"""Callers who wait for a seat: whose turn it is, how long it may take, and a place to wait in."""

from control_plane.waiting.changes import Changes
from control_plane.waiting.hall import Waiting

__all__ = ["Changes", "Waiting"]
