"""Word pieces: trained on the training text, the blank last, as sherpa-onnx wants them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sentencepiece

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


class Pieces:
    """Text to token numbers and back."""

    def __init__(self, model: Path) -> None:
        self._model = sentencepiece.SentencePieceProcessor(model_file=str(model))
        self.blank: int = self._model.get_piece_size()

    def __len__(self) -> int:
        return self.blank + 1

    def encode(self, text: str) -> list[int]:
        """The pieces of a text."""
        return list(self._model.encode(text))

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of pieces."""
        return str(self._model.decode(list(tokens)))

    def names(self) -> list[str]:
        """Each piece as written in `tokens.txt`, the blank last."""
        return [*(self._model.id_to_piece(i) for i in range(self.blank)), "<blk>"]

    def greedy(self, best: Iterable[int]) -> str:
        """The text of CTC's best token of every output."""
        kept, last = [], self.blank
        for token in best:
            if token not in (last, self.blank):
                kept.append(token)
            last = token
        return self.decode(kept)


def train_pieces(texts: Iterable[str], size: int, folder: Path) -> Path:
    """Learns `size` - 1 pieces (the blank is the last) and answers the model file."""
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([text for text in texts if text]),
        model_prefix=str(folder / "bpe"),
        vocab_size=size - 1,
        model_type="bpe",
        character_coverage=1.0,
        bos_id=-1,
        eos_id=-1,
        unk_id=0,
        minloglevel=2,
    )
    return folder / "bpe.model"


def write_tokens(pieces: Pieces, path: Path) -> None:
    """`tokens.txt`: a piece and its number on each line."""
    lines = (f"{name} {i}\n" for i, name in enumerate(pieces.names()))
    path.write_text("".join(lines), encoding="utf-8")
