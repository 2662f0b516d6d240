"""Recorded decisions as one file: written from the centre's streams, read again, checked."""
