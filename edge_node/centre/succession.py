"""Which bundle may follow which: no older one ever takes the place of a newer one. Pure.

Bundles are ordered by when they were signed (`iat`). Control planes' clocks may be a little apart,
so one that was announced may be older by the allowed skew. But what a newer one has replaced is
taken again only if it is signed anew; within LAG_S it must be announced, too, so that a control
plane that has not seen a change yet does not undo it. What was seen is kept beside the bundle, so
that a node that starts again knows it too.
"""

import msgspec

from shared.bundle import SKEW_S, BundleRefused
from shared.exchange import Bundle

LAG_S = 10
"""By which one control plane may see a change of policies or keys after another. Longer, and a node
that was off while a change was taken back learns of it later."""
REMEMBERED = 32
"""Versions that were replaced; those within the allowed skew count, and they are few."""


class Left(msgspec.Struct, frozen=True):
    """A version that another has replaced."""

    version: str
    iat: int
    """Of the bundle that replaced it."""


class Mark(msgspec.Struct, frozen=True):
    """The highest that a node has ever seen. Nothing takes it back."""

    iat: int = 0
    """Of the newest bundle; seconds since 1970."""
    version: str = ""
    """That it has in use."""
    seen_s: float = 0.0
    """A moment that has passed for certain, by the node's clock; seconds since 1970."""
    left: tuple[Left, ...] = ()

    def after(self, bundle: Bundle) -> "Mark":
        """With a bundle that was taken over."""
        left = self.left
        if self.version and bundle.version != self.version:
            left = (*left, Left(self.version, max(self.iat, bundle.iat)))
        newest = max(self.iat, bundle.iat)
        near = tuple(one for one in left if one.iat >= newest - SKEW_S)[-REMEMBERED:]
        return Mark(newest, bundle.version, self.seen_s, near)

    def at(self, now_s: float) -> "Mark":
        """With a later moment."""
        return msgspec.structs.replace(self, seen_s=max(self.seen_s, now_s))

    def set(self, now_s: float) -> "Mark":
        """With another moment, which a newer bundle vouches for."""
        return msgspec.structs.replace(self, seen_s=now_s)


def is_old_news(bundle: Bundle, mark: Mark) -> bool:
    """The version that is in use, signed earlier: nothing to take, and nothing wrong with it."""
    return bundle.version == mark.version and bundle.iat <= mark.iat


def check_follows(bundle: Bundle, mark: Mark, announced: str | None) -> None:
    """Whether a bundle may follow what was seen.

    Args:
        bundle: verified.
        mark: of what was seen so far.
        announced: the version that a control plane has said is out, and that is not here yet.

    Raises:
        BundleRefused: it is older.
    """
    if bundle.version == mark.version:
        return
    left = [one for one in mark.left if one.version == bundle.version]
    replaced = bool(left)
    if left and bundle.iat <= left[-1].iat + LAG_S and bundle.version != announced:
        raise _downgraded(bundle, f"was replaced by {mark.version}, and not announced anew")
    behind_s = mark.iat - bundle.iat
    if behind_s <= 0:
        return
    if replaced:
        raise _downgraded(bundle, f"was signed before {mark.version} replaced it")
    if bundle.version != announced or behind_s > SKEW_S:
        raise _downgraded(bundle, f"was signed {behind_s} s before what this node has seen")


def _downgraded(bundle: Bundle, why: str) -> BundleRefused:
    return BundleRefused(
        f"downgraded: bundle {bundle.version} {why}",
        field="version",
        value=bundle.version,
        remedy="bring the control planes to one regions file; see docs/operating.md",
    )
