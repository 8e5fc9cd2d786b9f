"""Why a network cannot be imported."""


class ImportFault(Exception):
    """The network, its files or the options do not fit. The message says what to fix."""


class ParityFault(Exception):
    """The ONNX file does not compute what the network computes: it is not published."""
