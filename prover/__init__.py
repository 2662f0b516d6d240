"""Proof by deriving anew: every decision of the router, checked by what shares nothing with it."""
