"""Uploaded files, in Slack's three steps: reserve an upload URL, receive the bytes, complete the upload."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

from integrations.local.slack.block_kit.schema import Json
from integrations.local.slack.conversations import BOT_USER_ID
from integrations.local.slack.errors import SlackError
from integrations.local.store import Store

SHOWN_INLINE = ("image/png", "image/jpeg", "image/gif", "image/webp")


class UploadedFile(BaseModel):
    """One file. `length` is in bytes; `uploaded` and `complete` are the completed steps of its upload."""

    id: str
    name: str
    length: int
    alt_text: str = ""
    title: str = ""
    uploaded: bool = False
    complete: bool = False
    created: int = 0

    @property
    def mimetype(self) -> str:
        """The MIME type, guessed from the name as Slack does."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    def to_slack(self, base_url: str) -> Json:
        """Return the file object of Slack's API."""
        return {
            "id": self.id,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "filetype": Path(self.name).suffix.removeprefix("."),
            "size": self.length,
            "created": self.created,
            "timestamp": self.created,
            "user": BOT_USER_ID,
            "alt_txt": self.alt_text,
            "mode": "hosted",
            "is_external": False,
            "file_access": "visible",
            "url_private": f"{base_url}/page/files/{self.id}",
            "url_private_download": f"{base_url}/page/files/{self.id}",
            "permalink": f"{base_url}/page/files/{self.id}",
        }


class Files:
    """The workspace's files. Their bytes are in a directory, their metadata in the store."""

    def __init__(self, directory: Path, store: Store, clock: Callable[[], float], random_id: Callable[[], str]) -> None:
        self._directory = directory
        self._directory.mkdir(parents=True, exist_ok=True)
        self._store = store
        self._clock = clock
        self._random_id = random_id
        self._files = {file.id: file for file in store.read("file", UploadedFile)}

    def reserve(self, name: str, length: int, alt_text: str) -> UploadedFile:
        """Register a file that is about to be uploaded."""
        file_id = "F" + self._random_id()[:10].upper()
        return self._save(
            UploadedFile(id=file_id, name=name, length=length, alt_text=alt_text, created=int(self._clock()))
        )

    def receive(self, file_id: str, contents: bytes) -> None:
        """Store the bytes. Raises SlackError `file_not_found`, or `file_upload_size_mismatch` for a wrong length."""
        file = self.find(file_id)
        if len(contents) != file.length:
            raise SlackError("file_upload_size_mismatch")
        self.path(file_id).write_bytes(contents)
        self._save(file.model_copy(update={"uploaded": True}))

    def complete(self, file_id: str, title: str) -> UploadedFile:
        """Complete an upload. Raises SlackError `file_not_found` if its bytes have not been received."""
        file = self.find(file_id)
        if not file.uploaded:
            raise SlackError("file_not_found")
        return self._save(file.model_copy(update={"complete": True, "title": title or file.name}))

    def find(self, file_id: str) -> UploadedFile:
        """Return one file. Raises SlackError `file_not_found`."""
        if file_id not in self._files:
            raise SlackError("file_not_found")
        return self._files[file_id]

    def exists(self, file_id: str) -> bool:
        """Return whether a file's upload is complete, so that a block can show it."""
        return file_id in self._files and self._files[file_id].complete

    def path(self, file_id: str) -> Path:
        """Return the path of a file's bytes."""
        return self._directory / file_id

    def _save(self, file: UploadedFile) -> UploadedFile:
        self._files[file.id] = file
        self._store.put("file", file.id, file)
        return file
