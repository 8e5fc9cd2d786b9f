"""Blobs in an object store that speaks S3: `s3://bucket/prefix`, objects `<analysis id>/<name>` below it.

Where the bucket is and who may use it say the usual variables (AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID, ...).
"""

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store

from gateway.analysis_id import is_analysis_id
from gateway.blobs.port import UPLOAD, BlobKey, BlobWriter, Owner
from service_kit.errors import NotFound, NotReady

if TYPE_CHECKING:  # these names are there for type checkers alone
    from obstore import AsyncWritableFile
    from obstore.store import ClientConfig, RetryConfig

_CHUNK_BYTES: Final = 1 << 20
_PART_BYTES: Final = 8 << 20
"""Larger uploads are sent in parts of this size (S3 wants 5 MiB or more)."""
_RETRIES: "Final[RetryConfig]" = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
_CLIENT: "Final[ClientConfig]" = {"connect_timeout": "3s", "timeout": "60s", "allow_http": True}
"""Whether TLS is spoken says the endpoint's URL; without one, Amazon's is used, with TLS."""


def bucket(url: str) -> ObjectStore:
    """The store at `s3://bucket/prefix`; it is not asked anything yet."""
    return S3Store.from_url(url, client_options=_CLIENT, retry_config=_RETRIES)


class ObjectBlobStore:
    """Implements `gateway.blobs.port.BlobStore` on any store that obstore knows."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @contextlib.asynccontextmanager
    async def create(self, key: BlobKey) -> AsyncIterator[BlobWriter]:
        """See the port. A large upload that breaks off leaves parts: the bucket's lifecycle rule must abort them."""
        with _reached():
            file = obstore.open_writer_async(self._store, _path(key), buffer_size=_PART_BYTES)
        yield _Writer(file)
        with _reached():
            await file.close()

    async def open(self, key: BlobKey) -> AsyncIterator[bytes]:
        """See the port."""
        with _reached():
            found = await obstore.get_async(self._store, _path(key))
            chunks = found.stream(_CHUNK_BYTES)
        while True:
            with _reached():
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield bytes(chunk)

    async def delete(self, owner: str, *, uploads_alone: bool = False) -> bool:
        """See the port."""
        folder = f"{BlobKey(owner, 'x').checked().owner}/"
        with _reached():
            paths = [found["path"] async for batch in obstore.list(self._store, folder) for found in batch]
            if uploads_alone:
                paths = [path for path in paths if path.removeprefix(folder).startswith(UPLOAD)]
            if paths:
                await obstore.delete_async(self._store, paths)
        return bool(paths)

    async def owners(self) -> AsyncIterator[Owner]:
        """See the port; what is not ours in the bucket is left alone."""
        newest: dict[str, datetime] = {}
        with _reached():
            async for batch in obstore.list(self._store):
                for found in batch:
                    owner, _, _ = found["path"].partition("/")
                    if is_analysis_id(owner):
                        newest[owner] = max(newest.get(owner, found["last_modified"]), found["last_modified"])
        now = datetime.now(UTC)
        for owner, moment in newest.items():
            yield Owner(owner, (now - moment).total_seconds())

    async def ready(self) -> bool:
        """See the port: whether the bucket can be listed."""
        try:
            async for _ in obstore.list(self._store, chunk_size=1):
                break
        except (BaseError, OSError):
            return False
        return True


class _Writer:
    def __init__(self, file: "AsyncWritableFile") -> None:
        self._file = file

    async def write(self, chunk: bytes) -> None:
        with _reached():
            await self._file.write(chunk)


def _path(key: BlobKey) -> str:
    owner, name = key.checked()
    return f"{owner}/{name}"


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """The store's errors as ours; their text may name the bucket."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound("What was uploaded is no longer there.") from error
    except (BaseError, OSError) as error:
        raise NotReady("The store of uploads does not take or give it.", stage="blobs", retry_after_s=5) from error
