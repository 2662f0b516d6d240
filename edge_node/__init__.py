"""The edge node: audio in, words out; text in, audio out."""

import os

# Numpy's products are small here, and streams are what a node does side by side. Threads for one
# product only wait for each other: with the processors busy, a step took five times as long. Read
# by numpy's BLAS when it is loaded; whoever sets it knows better.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # noqa: TID251 no setting of the node's own
