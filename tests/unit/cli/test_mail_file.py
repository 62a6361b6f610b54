"""A mail from a file as the fields of a request."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from cli.mail_file import read_mail
from frontdesk.errors import DataError


def written(folder: Path, mail: EmailMessage) -> Path:
    path = folder / "mail.eml"
    path.write_bytes(bytes(mail))
    return path


def test_text_html_subject_and_known_headers_are_read(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["Subject"], mail["X-Mailer"] = "Zoë <zoe@example.com>", "Wo ist die Lieferung?", "unknown"
    mail["Auto-Submitted"] = "no"
    mail.set_content("Müde vom Warten.\n")
    mail.add_alternative("<p>Müde vom Warten.</p>\n", subtype="html")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="photo.png")
    fields = read_mail(written(tmp_path, mail))
    assert fields["text"] == "Müde vom Warten.\n"
    assert fields["html"] == "<p>Müde vom Warten.</p>\n"
    assert fields["subject"] == "Wo ist die Lieferung?"
    assert fields["headers"]["from"] == "Zoë <zoe@example.com>"
    assert fields["headers"]["auto-submitted"] == "no"
    assert "x-mailer" not in fields["headers"]


def test_a_mail_of_text_alone_has_no_html(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Hello"
    mail.set_content("Where is it?")
    assert set(read_mail(written(tmp_path, mail))) == {"text", "subject", "headers"}


@pytest.mark.parametrize("content", [b"", b"\n\nno header at all", b"\x00\xff" * 50])
def test_a_file_that_is_no_mail_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.eml"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.eml is no mail"):
        read_mail(path)


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.eml cannot be read"):
        read_mail(tmp_path / "gone.eml")
