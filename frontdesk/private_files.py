"""Files and folders that no other user of this machine can have written.

A secret is read only where its owner is this user or root, nobody else can open it, and nobody else can have put it
there: a file that another user planted in a writable folder is refused, whatever its mode. A link is followed where
this user or root made it (a mounted secret of Kubernetes is such a link). Imports nothing of Frontdesk but its errors.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from frontdesk.errors import ConfigurationError

PRIVATE_UMASK = 0o077
"""Of every process of Frontdesk: what it creates, its owner alone can open."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class UntrustedFileError(ConfigurationError):
    """Another user owns a file, or could have replaced it."""


def is_trusted_owner(uid: int) -> bool:
    """Is `uid` this user or root? Always, where the system knows no users."""
    return not hasattr(os, "geteuid") or uid in (0, os.geteuid())


def folder_problem(folder: Path) -> str | None:
    """Why another user could put a file into `folder` in place of ours, or None.

    A folder with the sticky bit or on a read-only file system passes although others can write to it: they cannot
    replace a file there, and the owner of each file is checked by itself.

    Raises:
        OSError: the folder is not there.
    """
    about = folder.stat()
    if not is_trusted_owner(about.st_uid):
        return f"the folder {folder} belongs to another user (uid {about.st_uid})"
    if about.st_mode & _WRITABLE_BY_OTHERS and not about.st_mode & stat.S_ISVTX and not _is_read_only(folder):
        return f"other users can write to the folder {folder}"
    return None


def open_secret(path: Path, name: str) -> BinaryIO:
    """Open a file that only its owner, this user or root, can read; `name` begins the messages.

    Raises:
        UntrustedFileError: as `open_trusted`.
        ConfigurationError: group or others can open the file, or it is no regular file.
        OSError: it cannot be opened.
    """
    file, mode = _open(path, name)
    if mode & _OTHERS:
        file.close()
        raise ConfigurationError(f"{name} is open to other users.", hint=f"Run: chmod 600 {path}")
    return file


def open_trusted(path: Path, name: str) -> BinaryIO:
    """Open a file that no other user can have written, though all may read it; `name` begins the messages.

    Raises:
        UntrustedFileError: another user owns the file, its folder or a link to it, can write to it or could replace it.
        ConfigurationError: it is no regular file.
        OSError: it cannot be opened.
    """
    file, mode = _open(path, name)
    if mode & _WRITABLE_BY_OTHERS:
        file.close()
        raise UntrustedFileError(f"{name} is not used: other users can write to it.", hint=f"Run: chmod go-w {path}")
    return file


def make_private_folder(folder: Path) -> Path:
    """Make `folder` where it is not there, for this user alone (0700), and return it.

    Raises:
        UntrustedFileError: what is there is no folder of this user or root.
        OSError: it cannot be made.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    about = folder.lstat()
    if not stat.S_ISDIR(about.st_mode) or not is_trusted_owner(about.st_uid):
        raise UntrustedFileError(f"{folder} is no folder of this user.")
    return folder


@contextmanager
def replaced(path: Path, drafts: Path | None = None, *, sync: bool = True) -> Iterator[BinaryIO]:
    """A new file that takes the place of `path` at the end; nothing happens to `path` where the body raises.

    The new file has a random name in `drafts`, by default beside `path`, and is created (`O_EXCL`), never opened: a
    link that another user planted under a name that can be guessed is not followed. With `sync` it is on disk first.
    """
    draft = (drafts or path.parent) / f".{path.name}.{secrets.token_hex(8)}"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def open_own(path: Path, flags: int) -> int:
    """Open a file of this user for writing, without following a link; a new one has mode 0600.

    Raises:
        UntrustedFileError: it is a link, no regular file, has other names, or belongs to another user.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UntrustedFileError(f"{path} is a link: it is not written to.", hint="Remove it.") from None
        raise
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode) or not is_trusted_owner(about.st_uid) or about.st_nlink != 1:
        os.close(descriptor)
        raise UntrustedFileError(f"{path} is no file of this user alone: it is not written to.", hint="Remove it.")
    return descriptor


def _open(path: Path, name: str) -> tuple[BinaryIO, int]:
    """A file that this user or root owns, in a folder where nobody else could have replaced it, and its mode."""
    if (problem := folder_problem(path.parent)) is not None:
        raise UntrustedFileError(f"{name} is not used: {problem}.", hint=f"Run: chmod go-w {path.parent}")
    file = os.fdopen(_open_without_foreign_links(path, name), "rb")
    try:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ConfigurationError(f"{name} is no regular file.")
        if not is_trusted_owner(about.st_uid):
            raise UntrustedFileError(f"{name} is not used: it belongs to another user (uid {about.st_uid}).")
    except BaseException:
        file.close()
        raise
    return file, about.st_mode


def _open_without_foreign_links(path: Path, name: str) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    if not is_trusted_owner(path.lstat().st_uid):
        raise UntrustedFileError(f"{name} is not used: it is a link of another user.")
    try:
        target = path.resolve(strict=True)
    except RuntimeError:  # what Python 3.11 and 3.12 raise for a loop of links
        raise UntrustedFileError(f"{name} is not used: its links go in a circle.") from None
    if (problem := folder_problem(target.parent)) is not None:
        raise UntrustedFileError(f"{name} is not used: {problem}.")
    return os.open(target, flags)


def _is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
