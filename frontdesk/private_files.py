"""Files and folders that no other user of this machine can have written.

A secret is read only where its owner is this user or root, nobody else can open it, and nobody else can have put it
there: a file that another user planted in a writable folder is refused, whatever its mode. A link is followed where
this user or root made it (a mounted secret of Kubernetes is such a link). Imports nothing of Frontdesk but its errors.
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
"""Of every process of Frontdesk: what it creates, its owner alone can open."""

CONTAINER_VARIABLE = "BENTOML_CONTAINERIZED"
"""Set by BentoML in every image that it builds."""
MAX_LINKS = 40
"""On one path, as Linux has it."""

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


def path_problem(path: Path) -> str | None:
    """Why another user could have something else stand at `path` than we mean, or None.

    Looked at are each folder on the way and each link, wherever it leads. What is not there yet, we shall make.

    Raises:
        OSError: a folder cannot be entered, or the links go in a circle.
    """
    current, left, links = Path("/"), list(path.absolute().parts[1:]), 0
    problem = folder_problem(current)
    while left and problem is None:
        part = left.pop(0)
        if part == "..":
            current = current.parent
            continue
        try:
            about = (current / part).lstat()
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(about.st_mode):
            if not is_trusted_owner(about.st_uid):
                return f"{current / part} is a link of another user (uid {about.st_uid})"
            if (links := links + 1) > MAX_LINKS:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
            target = (current / part).readlink()
            current, left = (Path("/") if target.is_absolute() else current), [*target.parts, *left]
            left = left[1:] if target.is_absolute() else left
            continue
        current /= part
        if stat.S_ISDIR(about.st_mode):
            problem = _way_problem(current)
        elif left:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(current))
    return problem


def file_problem(path: Path) -> str | None:
    """Why another user could have written the file `path`, himself or by a link, or None; also where it is not there.

    Raises:
        OSError: as `path_problem`.
    """
    if (problem := path_problem(path)) is not None or not path.exists():
        return problem
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        return f"{path} is no regular file"
    if not is_trusted_owner(about.st_uid):
        return f"{path} belongs to another user (uid {about.st_uid})"
    if about.st_mode & _WRITABLE_BY_OTHERS:
        return f"other users can write to {path}"
    return None


def check_home(home: Path) -> None:
    """Refuse a home that another user could have filled. One of ours that our private group can write to is closed.

    Raises:
        UntrustedFileError: another user owns it, a folder above it or a link to it, or can write to one of them.
        ConfigurationError: it is no folder, or cannot be entered.
    """
    try:
        if home.is_dir() and home.stat().st_uid == os.geteuid() and _is_for_private_group(home.stat()):
            home.chmod(0o700)
        problem = path_problem(home)
        if problem is None and home.exists() and not home.is_dir():
            raise ConfigurationError(f"The home {home} is no folder.", hint="Set FRONTDESK_HOME to another path.")
        if home.is_dir() and not os.access(home, os.R_OK | os.X_OK):
            raise ConfigurationError(f"The home {home} cannot be entered by this user.")
    except OSError as error:
        raise ConfigurationError(f"The home {home} cannot be used: {error.strerror}.") from None
    if problem is not None:
        raise UntrustedFileError(
            f"The home {home} is not used: {problem}.",
            hint="Look at what lies in it, then run chmod go-w on that folder, or chown it to this user; "
            "or set FRONTDESK_HOME.",
        )


def make_home(home: Path) -> None:
    """Make `home` where it is not there (0700), and check what is there then.

    Raises:
        UntrustedFileError, ConfigurationError: as `check_home`; or it cannot be made or written to.
    """
    check_home(home)
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_home(home)
        if not os.access(home, os.W_OK):
            raise PermissionError(errno.EACCES, "this user cannot write to it")
        if _is_read_only(home):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    except OSError as error:
        raise ConfigurationError(
            f"The home {home} cannot be used: {error.strerror}.", hint="Set FRONTDESK_HOME to a folder of your own."
        ) from None


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
        UntrustedFileError: it is a link, no regular file, has other names, belongs to another user, or others can write
            to it.
        OSError: it cannot be opened.
    """
    try:
        descriptor = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UntrustedFileError(f"{path} is a link: it is not written to.", hint="Remove it.") from None
        raise
    about = os.fstat(descriptor)
    if about.st_mode & _WRITABLE_BY_OTHERS:
        os.close(descriptor)
        raise UntrustedFileError(f"Other users can write to {path}: it is not used.", hint=f"Run: chmod go-w {path}")
    if not stat.S_ISREG(about.st_mode) or not is_trusted_owner(about.st_uid) or about.st_nlink != 1:
        os.close(descriptor)
        raise UntrustedFileError(f"{path} is no file of this user alone: it is not written to.", hint="Remove it.")
    return descriptor


def _open(path: Path, name: str) -> tuple[BinaryIO, int]:
    """A file that this user or root owns, in a folder where nobody else could have replaced it, and its mode."""
    if (problem := folder_problem(path.parent) or path_problem(path.parent)) is not None:
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
    target = Path(os.path.realpath(path, strict=True))  # a circle of links is an OSError
    if (problem := folder_problem(target.parent) or path_problem(path)) is not None:
        raise UntrustedFileError(f"{name} is not used: {problem}.")
    return os.open(target, flags)


def _way_problem(folder: Path) -> str | None:
    """`folder_problem` with two exceptions: a group of this user alone, and a volume of a container.

    What is mounted into a container belongs to root, and is often open to a group of the container or to everybody in
    it; who is in the container is not decided by the mode of a folder.
    """
    problem = folder_problem(folder)
    if problem is None:
        return None
    about = folder.stat()
    if is_trusted_owner(about.st_uid) and _is_for_private_group(about):
        return None
    if about.st_uid == 0 and CONTAINER_VARIABLE in os.environ and folder.is_mount():
        return None
    return problem


def _is_for_private_group(about: os.stat_result) -> bool:
    """Can a group write, and nobody else, that bears this user's name and has nobody else in it (umask 002)?"""
    if about.st_mode & _WRITABLE_BY_OTHERS != stat.S_IWGRP or about.st_gid != os.getegid():
        return False
    try:
        user, group = pwd.getpwuid(os.geteuid()), grp.getgrgid(about.st_gid)
    except KeyError:
        return False
    return user.pw_name == group.gr_name and set(group.gr_mem) <= {user.pw_name}


def _is_read_only(folder: Path) -> bool:
    return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
