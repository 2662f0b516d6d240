"""Checksums that an operator chose to trust, kept beside the store and held to ever after."""

import json
from pathlib import Path

from edge_node.models.catalog import Artefact
from edge_node.models.sums import sha256_of
from shared.errors import ModelRefused


class TrustBook:
    """`trusted.json`: file name -> sha256, written when the operator said --trust-new."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "trusted.json"

    def expected(self, artefact: Artefact) -> str | None:
        """The digest that the artefact must have, or None where nobody knows one yet."""
        return artefact.sha256 or self._read().get(artefact.file_name)

    def demand(self, artefact: Artefact, *, trust_new: bool) -> None:
        """Raises ModelRefused where no digest is known and none may be learnt."""
        if self.expected(artefact) is None and not trust_new:
            raise ModelRefused(
                f"no checksum is known for {artefact.file_name}",
                field="sha256",
                value=artefact.url,
                remedy="pass --trust-new to take what comes and hold to it from then on",
            )

    def check(self, artefact: Artefact, file: Path) -> None:
        """Raises ModelRefused where the file is another; records its digest where none was known.

        Call `demand` first.
        """
        found, expected = sha256_of(file), self.expected(artefact)
        if expected is None:
            self._write({**self._read(), artefact.file_name: found})
        elif found != expected:
            raise ModelRefused(
                f"{artefact.file_name} has sha256 {found}, not {expected}",
                field="sha256",
                value=found,
                remedy="fetch it again; if it stays so, do not use it and tell its publisher",
            )

    def _read(self) -> dict[str, str]:
        if not self._path.is_file():
            return {}
        book = json.loads(self._path.read_text())
        return {str(name): str(digest) for name, digest in book.items()}

    def _write(self, book: dict[str, str]) -> None:
        scratch = self._path.with_suffix(".tmp")
        scratch.write_text(json.dumps(book, indent=1, sort_keys=True) + "\n")
        scratch.replace(self._path)
