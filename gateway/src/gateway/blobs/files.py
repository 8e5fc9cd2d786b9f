"""Blobs as files: `<root>/<shard>/<analysis id>/<name>`. A file appears by a rename, when its bytes are on disk."""

import asyncio
import contextlib
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from gateway.analysis_id import is_analysis_id
from gateway.blobs.port import UPLOAD, BlobKey, Owner
from service_kit.errors import NotFound, NotReady

_CHUNK_BYTES = 1 << 20
_UNFINISHED = ".part"


class FileBlobStore:
    """Implements `gateway.blobs.port.BlobStore` on a folder, also one that several hosts mount (rename is atomic)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextlib.asynccontextmanager
    async def create(self, key: BlobKey) -> AsyncIterator["_Writer"]:
        """See the port. Raises `NotReady` when the disk does not take it."""
        path = self._path(key)
        # Another try of the same upload must not write into this file.
        unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}{_UNFINISHED}")
        with _reached():
            file = await asyncio.to_thread(_open_new, unfinished)
        try:
            yield _Writer(file)
            with _reached():
                await asyncio.to_thread(_publish, file, unfinished, path)
        except BaseException:
            await asyncio.to_thread(_discard, file, unfinished)
            raise

    async def open(self, key: BlobKey) -> AsyncIterator[bytes]:
        """See the port."""
        with _reached():
            file = await asyncio.to_thread(_open_existing, self._path(key))
        with file:
            while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
                yield chunk

    async def delete(self, owner: str, *, uploads_alone: bool = False) -> bool:
        """See the port."""
        folder = self._folder(owner)
        with _reached():
            return await asyncio.to_thread(_remove, folder, UPLOAD if uploads_alone else "")

    async def owners(self) -> AsyncIterator[Owner]:
        """See the port; what is not ours in the folder is left alone."""
        for shard in await asyncio.to_thread(_folders, self._root):
            for folder in await asyncio.to_thread(_folders, shard):
                if is_analysis_id(folder.name) and shard.name == _shard(folder.name):
                    with contextlib.suppress(FileNotFoundError):  # erased just now
                        yield Owner(folder.name, time.time() - folder.stat().st_mtime)

    async def ready(self) -> bool:
        """See the port."""
        return await asyncio.to_thread(_writable, self._root)

    def _folder(self, owner: str) -> Path:
        return self._root / _shard(owner) / BlobKey(owner, "x").checked().owner

    def _path(self, key: BlobKey) -> Path:
        return self._folder(key.owner) / key.checked().name


class _Writer:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def write(self, chunk: bytes) -> None:
        with _reached():
            await asyncio.to_thread(self._file.write, chunk)


def _shard(owner: str) -> str:
    """The last digits are random; the first are the time."""
    return owner[-2:]


def _open_new(path: Path) -> BinaryIO:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _open_existing(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise NotFound("What was uploaded is no longer there.") from error


def _publish(file: BinaryIO, unfinished: Path, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    unfinished.replace(path)
    # The file's name, and those of the folders that may be new.
    for folder in list(path.parents)[:3]:
        _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _discard(file: BinaryIO, unfinished: Path) -> None:
    file.close()
    unfinished.unlink(missing_ok=True)
    with contextlib.suppress(OSError):  # other blobs are in it
        unfinished.parent.rmdir()


def _remove(folder: Path, prefix: str) -> bool:
    try:
        found = list(folder.iterdir())
        chosen = [path for path in found if path.name.startswith(prefix)]
        if len(chosen) == len(found):
            shutil.rmtree(folder)
            return True
        for path in chosen:
            path.unlink()
    except FileNotFoundError:  # somebody else was faster
        return False
    return bool(chosen)


def _writable(folder: Path) -> bool:
    """Whether it can be written to, or made."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _folders(parent: Path) -> list[Path]:
    try:
        return sorted(entry for entry in parent.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []


@contextlib.contextmanager
def _reached() -> Iterator[None]:
    """The disk's errors as ours; their text may name a path."""
    try:
        yield
    except OSError as error:
        raise NotReady("The store of uploads does not take or give it.", stage="blobs", retry_after_s=5) from error
