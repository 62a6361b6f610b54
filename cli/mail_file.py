"""Read a mail from a file (RFC 5322, `.eml`) as the fields of a request."""

from __future__ import annotations

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from frontdesk.errors import DataError


def read_mail(path: Path) -> dict[str, Any]:
    """Return the fields `text`, `html`, `subject` and `headers` that the mail has. Attachments are ignored.

    Raises:
        DataError: the file cannot be read, or is no mail.
    """
    from frontdesk.messages import HEADER_NAMES

    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}.") from None
    mail = BytesParser(EmailMessage, policy=policy.default).parsebytes(content)
    if not mail.keys():
        raise DataError(f"{path} is no mail: it has no header.", hint="Save the mail as .eml, or use --html.")
    fields: dict[str, Any] = {
        "subject": str(mail.get("subject", "")),
        "headers": {name.lower(): str(value) for name, value in mail.items() if name.lower() in HEADER_NAMES},
    }
    for name, kind in (("text", "plain"), ("html", "html")):
        body = mail.get_body((kind,))
        if body is not None:
            fields[name] = body.get_content()
    return {name: value for name, value in fields.items() if value}
