"""What a file of a model is for, by its name."""

_ROLES = {
    "model.onnx": "model",
    "model.int8.onnx": "int8",
    "model.fp16.onnx": "fp16",
    "tokens.txt": "tokens",
    "lexicon.txt": "lexicon",
    "bpe.model": "bpe",
}


def role_of(file_name: str) -> str:
    """`model`, `int8`, `tokens` and so on for the names we give; else the name's first part."""
    return _ROLES.get(file_name) or file_name.split(".", 1)[0]
