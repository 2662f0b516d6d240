"""Checksums that an operator chose to trust, kept beside the store and held to ever after."""

from pathlib import Path

import msgspec

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
        """Raises ModelRefused where a digest is known and the file has another."""
        expected = self.expected(artefact)
        if expected is not None and (found := sha256_of(file)) != expected:
            raise ModelRefused(
                f"{artefact.file_name} has sha256 {found}, not {expected}",
                field="sha256",
                value=found,
                remedy="fetch it again; if it stays so, do not use it and tell its publisher",
            )

    def learn(self, artefact: Artefact, file: Path) -> None:
        """Holds to the file from now on, where no digest was known. For files that proved whole."""
        if self.expected(artefact) is None:
            self._write({**self._read(), artefact.file_name: sha256_of(file)})

    def _read(self) -> dict[str, str]:
        if not self._path.is_file():
            return {}
        try:
            book = msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except msgspec.DecodeError as error:
            raise ModelRefused(
                f"{self._path} cannot be read: {error}",
                field="trusted.json",
                value=self._path,
                remedy="mend it, or remove it and with it what was trusted",
            ) from error
        return book

    def _write(self, book: dict[str, str]) -> None:
        scratch = self._path.with_suffix(".tmp")
        scratch.write_bytes(msgspec.json.format(msgspec.json.encode(book), indent=1) + b"\n")
        scratch.replace(self._path)
