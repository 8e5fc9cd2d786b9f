"""Pages of docs/models, written from cards and results; no PyTorch, no data, no matplotlib."""
