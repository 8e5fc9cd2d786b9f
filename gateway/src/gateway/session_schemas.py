"""What a browser sends and is told when it signs in."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class SessionState(BaseModel):
    """`required`: this gateway has API keys. `signed_in`: this very request carries one, or a session of one."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"examples": [{"required": True, "signed_in": False}]})

    required: bool
    signed_in: bool


class SessionRequest(BaseModel):
    """An API key, to be kept by nobody."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_extra={"examples": [{"key": "a-key-of-this-gateway"}]}
    )

    key: Annotated[SecretStr, Field(min_length=1, max_length=1000)]
