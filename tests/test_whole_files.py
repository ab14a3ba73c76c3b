"""Files that are written whole or not at all."""

import pytest

from pytest_torchlauncher.whole_files import write_whole


def test_text_and_bytes_in_a_new_folder(tmp_path):
    path = tmp_path / "new" / "file"
    write_whole(path, "ä\udcff")
    assert path.read_bytes() == "ä\\udcff".encode()
    write_whole(path, b"\x00")
    assert path.read_bytes() == b"\x00"
    assert list(path.parent.iterdir()) == [path]


def test_what_was_there_stays_where_writing_fails(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_text("old")

    def refuse(self, target):
        raise OSError("no space")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(OSError, match="no space"):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
