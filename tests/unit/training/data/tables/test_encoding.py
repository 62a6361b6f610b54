from __future__ import annotations

from pathlib import Path

import pytest

from frontdesk.errors import DataError
from training.data.tables.encoding import Encoding, detect_encoding, has_undecodable_bytes
from training.data.tables.source import Source

ASCII_ROWS = "id;text\r\n" + "1;Where is my parcel, it should be here by now\r\n" * 30
SENTENCES = {
    "german": "Die Lieferung nach Müllheim ist verspätet, die Größe passt nicht",
    "french": "Où est passée ma commande, le délai est dépassé et je suis déçu",
    "portuguese": "Não recebi a encomenda, isto é péssimo, quero fazer uma reclamação",
    "swedish": "Var är min beställning, jag vill få pengarna åter",
    "polish": "Gdzie jest moja przesyłka, proszę o zwrot pieniędzy, źle się spóźnia",
    "hungarian": "Hol van a csomagom, kérem vissza a pénzt, őszintén szűk a doboz",
    "russian": "Где мой заказ, прошу вернуть деньги за испорченный товар",
    "greek": "Πού είναι η παραγγελία μου, θέλω επιστροφή χρημάτων",
    "japanese": "注文した商品がまだ届きません。返金してください。",
    "chinese": "我的订单还没有到，请告诉我物流信息，谢谢。",
    "korean": "주문한 상품이 아직 도착하지 않았습니다. 환불해 주세요.",
}


def source(folder: Path, content: bytes) -> Source:
    (folder / "a.csv").write_bytes(content)
    return Source(folder / "a.csv")


def decoded(folder: Path, content: bytes) -> tuple[Encoding, str]:
    file = source(folder, content)
    encoding = detect_encoding(file)
    with encoding.lines(file) as lines:
        return encoding, "".join(lines)


@pytest.mark.parametrize(
    ("codec", "language"),
    [
        *[("cp1252", language) for language in ("german", "french", "portuguese", "swedish")],
        *[("cp1250", language) for language in ("polish", "hungarian")],
        *[("mac_roman", "german"), ("cp437", "german"), ("latin-1", "french")],
        *[("cp1251", "russian"), ("koi8-r", "russian"), ("iso8859-7", "greek")],
        *[("shift_jis", "japanese"), ("gb18030", "chinese"), ("euc-kr", "korean")],
    ],
)
def test_legacy_encodings_are_detected_from_a_few_rows_among_many_of_ascii(
    tmp_path: Path, codec: str, language: str
) -> None:
    text = ASCII_ROWS + f"31;{SENTENCES[language]}\r\n" * 3
    encoding, text_read = decoded(tmp_path, text.encode(codec))
    assert text_read == text
    assert encoding.encode(text_read) == text.encode(codec)


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_decides_and_is_not_part_of_the_text(tmp_path: Path, codec: str) -> None:
    text = ASCII_ROWS + SENTENCES["polish"]
    encoding, text_read = decoded(tmp_path, text.encode(codec))
    assert text_read == text
    assert encoding.bom + encoding.encode(text_read) == text.encode(codec)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_utf16_and_utf32_without_a_byte_order_mark_is_detected(tmp_path: Path, codec: str) -> None:
    text = ASCII_ROWS + SENTENCES["german"]
    assert decoded(tmp_path, text.encode(codec))[1] == text


def test_an_invalid_byte_in_a_utf8_file_is_marked_and_written_back(tmp_path: Path) -> None:
    content = f"{SENTENCES['german']}\n{SENTENCES['french']}\n".encode() + b"caf\xe9\n"
    encoding, text_read = decoded(tmp_path, content)
    assert encoding.codec == "utf-8"
    assert [has_undecodable_bytes(line) for line in text_read.splitlines()] == [False, False, True]
    assert encoding.encode(text_read) == content


def test_a_few_names_are_too_short_for_detection_and_read_as_windows_1252(tmp_path: Path) -> None:
    assert decoded(tmp_path, "id,name\n1,Peña\n2,Muñoz\n".encode("cp1252"))[1].endswith("Muñoz\n")


def test_bytes_that_contradict_the_byte_order_mark_are_one_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv begins as UTF-16-LE and has bytes that are not"):
        detect_encoding(source(tmp_path, ASCII_ROWS.encode("utf-16") + b"\x00"))


def test_lines_end_with_carriage_returns_only_if_there_is_no_line_feed(tmp_path: Path) -> None:
    assert detect_encoding(source(tmp_path, b"a\rb\r")).newline == "\r"
    assert detect_encoding(source(tmp_path, b"a\rb\r\n")).newline == "\n"
    assert detect_encoding(source(tmp_path, "a\rb\r".encode("utf-16"))).newline == "\r"


def test_without_the_detecting_library_the_hint_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "chardet", None)
    with pytest.raises(DataError, match=r"a\.csv is not UTF-8.*frontdesk\[train\]"):
        detect_encoding(source(tmp_path, "Größe".encode("cp1252")))
    assert detect_encoding(source(tmp_path, "Größe".encode())).codec == "utf-8"
