"""Ownership and permission checks for files and folders that other users of this machine must not control.

A secret is read only if this user or root owns it, no other user can open it, and no other user could have put it
there: a file that another user planted in a writable folder is refused, regardless of its mode. A link is followed if
this user or root created it (a mounted Kubernetes secret is such a link). Imports only `frontdesk.errors`.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from frontdesk.errors import ConfigurationError

PRIVATE_UMASK = 0o077
"""Umask of every Frontdesk process: only the owner can open the files that it creates."""

CONTAINER_VARIABLE = "BENTOML_CONTAINERIZED"
"""BentoML sets it in every image that it builds."""
MAX_LINKS = 40
"""Maximum number of links on one path, as on Linux."""

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH


class UnsafeFileOwnershipError(ConfigurationError):
    """Another user owns a file or could have replaced it."""


def is_trusted_owner(uid: int) -> bool:
    """Return whether `uid` is this user or root; always True on a system without user ids."""
    return not hasattr(os, "geteuid") or uid in (0, os.geteuid())


def explain_unsafe_folder(folder: Path) -> str | None:
    """Return the reason why another user could replace a file in `folder`, or None.

    A folder with the sticky bit or on a read-only file system is accepted although other users can write to it: they
    cannot replace a file there, and the owner of each file is checked separately.

    Raises:
        OSError: the folder does not exist.
    """
    status = folder.stat()
    if not is_trusted_owner(status.st_uid):
        return f"the folder {folder} belongs to another user (uid {status.st_uid})"
    if (
        status.st_mode & _WRITABLE_BY_OTHERS
        and not status.st_mode & stat.S_ISVTX
        and not _is_on_read_only_mount(folder)
    ):
        return f"other users can write to the folder {folder}"
    return None


def explain_unsafe_path(path: Path) -> str | None:
    """Return the reason why another user could control what is at `path`, or None.

    Checks each folder and link on the path, including the targets of links. Missing parts are accepted: this process
    will create them.

    Raises:
        OSError: a folder cannot be entered, or the links form a loop.
    """
    current, remaining, links = Path("/"), list(path.absolute().parts[1:]), 0
    problem = explain_unsafe_folder(current)
    while remaining and problem is None:
        part = remaining.pop(0)
        if part == "..":
            current = current.parent
            continue
        try:
            status = (current / part).lstat()
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(status.st_mode):
            if not is_trusted_owner(status.st_uid):
                return f"{current / part} is a link of another user (uid {status.st_uid})"
            if (links := links + 1) > MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            target = (current / part).readlink()
            current, remaining = (Path("/") if target.is_absolute() else current), [*target.parts, *remaining]
            remaining = remaining[1:] if target.is_absolute() else remaining
            continue
        current /= part
        if stat.S_ISDIR(status.st_mode):
            problem = _explain_unsafe_ancestor(current)
        elif remaining:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(current))
    return problem


def explain_unsafe_file(path: Path) -> str | None:
    """Return the reason why another user could have written the file `path`, also through a link, or None.

    A missing file is accepted if its path is.

    Raises:
        OSError: as `explain_unsafe_path`.
    """
    if (problem := explain_unsafe_path(path)) is not None or not path.exists():
        return problem
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return f"{path} is not a regular file"
    if not is_trusted_owner(status.st_uid):
        return f"{path} belongs to another user (uid {status.st_uid})"
    if status.st_mode & _WRITABLE_BY_OTHERS:
        return f"other users can write to {path}"
    return None


def check_home_ownership(home: Path) -> None:
    """Refuse a home that another user could have written to; remove write access of this user's private group.

    Raises:
        UnsafeFileOwnershipError: another user owns or can write to the home, a folder above it or a link to it.
        ConfigurationError: it is not a folder, or cannot be entered.
    """
    try:
        if home.is_dir() and home.stat().st_uid == os.geteuid() and _is_writable_by_private_group_only(home.stat()):
            home.chmod(0o700)
        problem = explain_unsafe_path(home)
        if problem is None and home.exists() and not home.is_dir():
            raise ConfigurationError(f"The home {home} is not a folder.", hint="Set FRONTDESK_HOME to another path.")
        if home.is_dir() and not os.access(home, os.R_OK | os.X_OK):
            raise ConfigurationError(f"The home {home} cannot be entered by this user.")
    except OSError as error:
        raise ConfigurationError(f"The home {home} cannot be used: {error.strerror}.") from None
    if problem is not None:
        raise UnsafeFileOwnershipError(
            f"The home {home} is not used: {problem}.",
            hint="Check its contents, then run chmod go-w on that folder, or chown it to this user; "
            "or set FRONTDESK_HOME.",
        )


def make_home(home: Path) -> None:
    """Create `home` with mode 0700 if it does not exist, and check it.

    Raises:
        UnsafeFileOwnershipError, ConfigurationError: as `check_home_ownership`; or it cannot be created or written to.
    """
    check_home_ownership(home)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_home_ownership(home)
        if not os.access(home, os.W_OK):
            raise PermissionError(errno.EACCES, "this user cannot write to it")
        if _is_on_read_only_mount(home):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    except OSError as error:
        raise ConfigurationError(
            f"The home {home} cannot be used: {error.strerror}.", hint="Set FRONTDESK_HOME to a folder of your own."
        ) from None


def open_secret(path: Path, name: str) -> BinaryIO:
    """Open a file that only its owner, this user or root, can read; error messages start with `name`.

    Raises:
        UnsafeFileOwnershipError: as `open_trusted`.
        ConfigurationError: group or others can open the file, or it is not a regular file.
        OSError: it cannot be opened.
    """
    file, mode = _open_trusted(path, name)
    if mode & _OTHERS:
        file.close()
        raise ConfigurationError(f"{name} is open to other users.", hint=f"Run: chmod 600 {path}")
    return file


def open_trusted(path: Path, name: str) -> BinaryIO:
    """Open a file that no other user could have written, though all may read it; error messages start with `name`.

    Raises:
        UnsafeFileOwnershipError: another user owns the file, its folder or a link to it, or can change or replace it.
        ConfigurationError: it is not a regular file.
        OSError: it cannot be opened.
    """
    file, mode = _open_trusted(path, name)
    if mode & _WRITABLE_BY_OTHERS:
        file.close()
        raise UnsafeFileOwnershipError(
            f"{name} is not used: other users can write to it.", hint=f"Run: chmod go-w {path}"
        )
    return file


def make_private_folder(folder: Path) -> Path:
    """Create `folder` with mode 0700 if it does not exist, and return it.

    Raises:
        UnsafeFileOwnershipError: the path exists and is not a folder of this user or root.
        OSError: it cannot be created.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or not is_trusted_owner(status.st_uid):
        raise UnsafeFileOwnershipError(f"{folder} is not a folder of this user.")
    return folder


@contextmanager
def replace_file(path: Path, temporary_folder: Path | None = None, *, sync: bool = True) -> Iterator[BinaryIO]:
    """Yield a new file that replaces `path` atomically at the end; `path` stays unchanged if the body raises.

    The new file is created with a random name and `O_EXCL` in `temporary_folder`, by default the folder of `path`, so
    that a link planted under a predictable name is not followed. With `sync` it is flushed to disk before that.
    """
    temporary = (temporary_folder or path.parent) / f".{path.name}.{secrets.token_hex(8)}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            if sync:
                os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def open_own_file(path: Path, flags: int) -> int:
    """Open a file of this user without following links and return its descriptor; a new file gets mode 0600.

    Raises:
        UnsafeFileOwnershipError: it is a link, is not a regular file, has several names, belongs to another user, or
            others can write to it.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnsafeFileOwnershipError(f"{path} is a link: it is not used.", hint="Remove it.") from None
        raise
    status = os.fstat(descriptor)
    if status.st_mode & _WRITABLE_BY_OTHERS:
        os.close(descriptor)
        raise UnsafeFileOwnershipError(
            f"Other users can write to {path}: it is not used.", hint=f"Run: chmod go-w {path}"
        )
    if not stat.S_ISREG(status.st_mode) or not is_trusted_owner(status.st_uid) or status.st_nlink != 1:
        os.close(descriptor)
        raise UnsafeFileOwnershipError(f"{path} is not a file of this user alone: it is not used.", hint="Remove it.")
    return descriptor


def _open_trusted(path: Path, name: str) -> tuple[BinaryIO, int]:
    """Open a file of this user or root, in a folder where no other user could replace it; return it and its mode."""
    if (problem := explain_unsafe_folder(path.parent) or explain_unsafe_path(path.parent)) is not None:
        raise UnsafeFileOwnershipError(f"{name} is not used: {problem}.", hint=f"Run: chmod go-w {path.parent}")
    file = os.fdopen(_open_without_foreign_links(path, name), "rb")
    try:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ConfigurationError(f"{name} is not a regular file.")
        if not is_trusted_owner(status.st_uid):
            raise UnsafeFileOwnershipError(f"{name} is not used: it belongs to another user (uid {status.st_uid}).")
    except BaseException:
        file.close()
        raise
    return file, status.st_mode


def _open_without_foreign_links(path: Path, name: str) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    if not is_trusted_owner(path.lstat().st_uid):
        raise UnsafeFileOwnershipError(f"{name} is not used: it is a link of another user.")
    target = Path(os.path.realpath(path, strict=True))  # raises OSError if links form a loop
    if (problem := explain_unsafe_folder(target.parent) or explain_unsafe_path(path)) is not None:
        raise UnsafeFileOwnershipError(f"{name} is not used: {problem}.")
    return os.open(target, flags)


def _explain_unsafe_ancestor(folder: Path) -> str | None:
    """Return `explain_unsafe_folder`, but accept folders of a private group and volumes of a container.

    A volume in a container belongs to root and is often writable for a group of the container or for everyone in it;
    access to the container is not controlled by the mode of a folder.
    """
    problem = explain_unsafe_folder(folder)
    if problem is None:
        return None
    status = folder.stat()
    if is_trusted_owner(status.st_uid) and _is_writable_by_private_group_only(status):
        return None
    if status.st_uid == 0 and CONTAINER_VARIABLE in os.environ and folder.is_mount():
        return None
    return problem


def _is_writable_by_private_group_only(status: os.stat_result) -> bool:
    """Return whether write access beyond the owner is limited to this user's private group (umask 002)."""
    if status.st_mode & _WRITABLE_BY_OTHERS != stat.S_IWGRP or status.st_gid != os.getegid():
        return False
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    return user.pw_name == group.gr_name and set(group.gr_mem) <= {user.pw_name}


def _is_on_read_only_mount(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
