"""The models: which there are, where they live, how they come."""

from edge_node.models.store import Installed, Store, embedded_folder, find

__all__ = ["Installed", "Store", "embedded_folder", "find"]
