"""What can go wrong here and nowhere else.

InvalidRequest
  LeakingField    leaking_field    422
  UnknownField    unknown_field    422
"""

from service_kit.errors import InvalidRequest


class LeakingField(InvalidRequest):
    """A field that tells what the models are to find, or what nobody knows when the picture is taken."""

    code = "leaking_field"
    title = "A field would leak the answer"


class UnknownField(InvalidRequest):
    """A field of a name that is not in the schema."""

    code = "unknown_field"
    title = "A field is not known"
