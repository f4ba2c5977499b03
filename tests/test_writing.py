"""Whatever a path names stays what it is when output goes to it: a link, a pipe, a terminal, an open file."""

from __future__ import annotations

import os
import stat
import sys
import threading

import pytest

from compat._writing import whole_file
from compat.analysis import fixer
from compat.analysis.debt.baseline import Baseline
from compat.cli.common import opened_output

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="paths of pipes and open files are those of POSIX")


def output(path):
    with opened_output(path) as stream:
        stream.write("new\n")


def rewrite(path):
    with open(path, "rb") as file:
        before = file.read()
    assert fixer.write_file(str(path), before, b"new\n") == ""


def plain(path):
    with whole_file(path) as stream:
        stream.write(b"new\n")


@pytest.mark.parametrize("write", [plain, output, rewrite])
def test_a_link_stays_and_its_target_is_written(tmp_path, write):
    (tmp_path / "there").mkdir()
    target = tmp_path / "there" / "target"
    target.write_text("old")
    target.chmod(0o640)
    (tmp_path / "between").symlink_to(os.path.join("there", "target"))
    (tmp_path / "link").symlink_to(tmp_path / "between")
    write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "between").is_symlink() and not target.is_symlink()
    assert (target.read_text(), stat.S_IMODE(target.stat().st_mode)) == ("new\n", 0o640)
    assert sorted(entry.name for entry in tmp_path.rglob("*")) == ["between", "link", "target", "there"]


def test_the_target_of_a_dangling_link_is_made(tmp_path):
    (tmp_path / "link").symlink_to("target")
    output(tmp_path / "link")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "new\n"


@pytest.mark.parametrize("write", [plain, output])
@pytest.mark.parametrize("linked", [False, True])
def test_a_pipe_is_written_to(tmp_path, write, linked):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to("pipe")
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    write(tmp_path / "link" if linked else pipe)
    reader.join(20)
    assert got == [b"new\n"] and stat.S_ISFIFO(pipe.stat().st_mode) and (tmp_path / "link").is_symlink()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link", "pipe"]


def test_a_pipe_gets_nothing_of_output_that_is_not_whole(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    with pytest.raises(ZeroDivisionError), opened_output(pipe) as stream:
        stream.write("half")
        raise ZeroDivisionError
    reader.join(20)
    assert got == [b""]


def test_a_terminal_is_written_to(tmp_path):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    try:
        (tmp_path / "terminal").symlink_to(os.ttyname(theirs))
        output(tmp_path / "terminal")
        assert os.read(ours, 100).replace(b"\r", b"") == b"new\n"
        assert (tmp_path / "terminal").is_symlink() and stat.S_ISCHR(os.stat(tmp_path / "terminal").st_mode)
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="no folder of open files")
def test_an_open_file_is_added_to(tmp_path):
    with open(tmp_path / "log", "ab") as log:
        log.write(b"before\n")
        log.flush()
        inode = os.fstat(log.fileno()).st_ino
        output(f"/dev/fd/{log.fileno()}")
    assert (tmp_path / "log").read_bytes() == b"before\nnew\n" and (tmp_path / "log").stat().st_ino == inode


def test_a_baseline_that_is_a_link_stays_one_and_has_the_mode_of_any_new_file(tmp_path):
    (tmp_path / "shared").mkdir()
    (tmp_path / "baseline.json").symlink_to(os.path.join("shared", "baseline.json"))
    Baseline(str(tmp_path / "baseline.json")).save()
    assert (tmp_path / "baseline.json").is_symlink()
    (tmp_path / "plain").write_text("")
    assert (tmp_path / "shared" / "baseline.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError), whole_file(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_file_with_two_names_is_one_file_still(tmp_path):
    place, other = tmp_path / "report", tmp_path / "other"
    place.write_text("a longer text than the new one")
    os.link(place, other)
    with whole_file(place) as file:
        file.write(b"new")
    assert place.read_text() == other.read_text() == "new" and os.path.samefile(place, other)
    assert sorted(os.listdir(tmp_path)) == ["other", "report"]


def test_a_file_that_cannot_be_replaced_is_written_into_and_a_new_one_fails(tmp_path, monkeypatch):
    def busy(part, place):
        raise OSError(16, "Device or resource busy")  # as for a file that a container has mounted

    monkeypatch.setattr(os, "replace", busy)
    place = tmp_path / "report"
    place.write_text("a longer text than the new one")
    with whole_file(place) as file:
        file.write(b"new")
    assert place.read_text() == "new"
    with pytest.raises(OSError, match="busy"), whole_file(tmp_path / "never") as file:
        file.write(b"new")
    assert os.listdir(tmp_path) == ["report"]
