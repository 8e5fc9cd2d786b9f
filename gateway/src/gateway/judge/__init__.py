"""From findings to a verdict. `policy` is the one list of what speaks against an answer, `limits` the numbers."""
