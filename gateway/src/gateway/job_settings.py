"""What can be set about jobs: the queue, the workers, the blob store, webhooks."""

import ipaddress
from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_MIN_SECRET_CHARACTERS = 24
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network


class JobSettings(BaseModel):
    """How analyses wait, run and are tried again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_waiting: Annotated[
        int, Field(ge=1, description="Analyses that may wait; the last tenth is kept for `priority` stat.")
    ] = 1000
    lease_s: Annotated[
        float,
        Field(gt=0, le=25, description="A job whose worker is silent for this long, in seconds, goes to another one."),
    ] = 12.0
    max_tries: Annotated[int, Field(ge=1, description="Times that a job is begun before it has failed.")] = 3
    retry_s: Annotated[
        float, Field(gt=0, description="Wait before the second try, in seconds; it doubles with each further one.")
    ] = 2.0
    timeout_s: Annotated[float, Field(gt=0, description="Longest that one try may take, in seconds.")] = 3600.0
    concurrency: Annotated[int, Field(ge=1, description="Jobs that one worker runs at the same time.")] = 2
    in_gateway: Annotated[
        bool, Field(description="Whether the gateway's process runs a worker too; `neurogate up` does so.")
    ] = False
    poll_s: Annotated[float, Field(gt=0, description="How often an idle worker looks for a job, in seconds.")] = 0.25
    grace_s: Annotated[
        float, Field(ge=0, description="How long a worker that is told to end lets its jobs run, in seconds.")
    ] = 15.0
    sweep_s: Annotated[
        float, Field(gt=0, description="How often uploads that nobody needs any more are looked for, in seconds.")
    ] = 300.0
    orphan_s: Annotated[
        float, Field(gt=0, description="Age in seconds at which an upload that belongs to no analysis is erased.")
    ] = 3600.0
    blob_dir: Annotated[
        Path, Field(description="Folder for the uploads of jobs; gateways and workers share it. Made where it is not.")
    ] = Path(".neurogate/blobs")
    blob_url: Annotated[
        str | None,
        Field(
            pattern="^s3://[^/]+",
            description="`s3://bucket/prefix` for the uploads, instead of the folder; AWS_ENDPOINT_URL, AWS_REGION, "
            "AWS_ACCESS_KEY_ID and so on say the rest.",
        ),
    ] = None
    max_event_streams: Annotated[int, Field(ge=1, description="Callers that one gateway lets follow events.")] = 256


class WebhookSettings(BaseModel):
    """Who may be called when a job is finished, and how it is signed. Without `hosts` and `secrets` nobody is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hosts: Annotated[
        tuple[str, ...],
        Field(description="Host names that may be called, as a JSON list; `*.example.org` holds all below it."),
    ] = ()
    secrets: Annotated[
        tuple[SecretStr, ...],
        Field(description="Signing secrets, as a JSON list; each signs, so that one can replace another."),
    ] = ()
    networks: Annotated[
        tuple[Network, ...],
        Field(description="Private networks that may be called all the same, as a JSON list: `10.20.0.0/16`."),
    ] = ()
    allow_http: Annotated[bool, Field(description="Whether webhooks without TLS may be called.")] = False
    timeout_s: Annotated[float, Field(gt=0, description="Limit of one call, in seconds.")] = 10.0
    max_tries: Annotated[int, Field(ge=1, description="Calls before a webhook is a dead letter.")] = 8
    retry_s: Annotated[
        float, Field(gt=0, description="Wait before the second call, in seconds; doubles each time, up to an hour.")
    ] = 5.0

    @field_validator("secrets")
    @classmethod
    def _long_enough(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(secret.get_secret_value()) < _MIN_SECRET_CHARACTERS for secret in secrets):
            raise ValueError(f"a signing secret needs {_MIN_SECRET_CHARACTERS} characters or more")
        return secrets

    @field_validator("hosts")
    @classmethod
    def _plain_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        if any(not host or "/" in host or ":" in host or "*" in host.removeprefix("*.") for host in hosts):
            raise ValueError("hosts are names or IPv4 addresses without scheme, port and path")
        return tuple(host.lower() for host in hosts)

    @property
    def enabled(self) -> bool:
        """Whether anybody can be called."""
        return bool(self.hosts and self.secrets)
