"""YAML as a graph of nodes that know their lines: bounded, without aliases, never an exception."""

import yaml
from yaml.composer import ComposerError

from shared.regions.problems import Problem

MAX_BYTES = 64 * 1024
"""Some 300 regions; reading so much takes a second or two."""
MAX_DEPTH = 8
"""A world needs five levels."""


class _Composer(yaml.SafeLoader):
    """Refuses what could make a small file large, or a parser recurse."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One node and all below it."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent):
            raise ComposerError(None, None, "aliases (*name) are not understood", mark)
        if self._depth == MAX_DEPTH:
            raise ComposerError(None, None, "this is nested too deeply", mark)
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def compose(text: str, file: str) -> yaml.Node | Problem:
    """The root of the document, or why it cannot be read."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return _problem(file, 1, f"the file is larger than {MAX_BYTES // 1024} KiB", "make it less")
    try:
        loader = _Composer(text)
        node = loader.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return _problem(file, line, "a character that is not allowed", "write plain UTF-8 text")
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(filter(None, (error.context, error.problem)))
        return _problem(file, mark.line + 1 if mark else 1, f"not YAML: {said}", "mend the line")
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # the scanner has no answer of its own to some escapes and version numbers
        return _problem(file, 1, f"not YAML: {type(error).__name__}", "write plain text")
    if node is None:
        return _problem(file, 1, "the file is empty", "name regions, zones and policies")
    return node


def _problem(file: str, line: int, message: str, remedy: str) -> Problem:
    return Problem(file, line, "", " ".join(ascii(message)[1:-1].split()), remedy)
