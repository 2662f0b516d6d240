"""The edge node: audio in, words out; text in, audio out."""
