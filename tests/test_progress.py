"""The line that says how far a long evaluation is."""

import pytest

from pytest_torchlauncher import progress
from pytest_torchlauncher.progress import ProgressLine


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until told: ``clock[0]`` are its seconds."""
    now = [100.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    return now


class Screen:
    """What a terminal shows of two lines: pytest's own and the one below."""

    def __init__(self, own):
        self.rows, self.row, self.column = [own, ""], 0, len(own)

    def write(self, text):
        while text:
            if text.startswith("\x1b["):
                code = text[2:].lstrip("0123456789")[0]
                number = text[2 : text.index(code, 2)]
                self._control(code, int(number or 1))
                text = text[3 + len(number) :]
                continue
            letter, text = text[0], text[1:]
            if letter == "\r":
                self.column = 0
            elif letter == "\n":
                self.row += 1
            else:
                row = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = row[: self.column] + letter + row[self.column + 1 :]
                self.column += 1

    def _control(self, code, number):
        if code == "K":
            self.rows[self.row] = self.rows[self.row][: self.column]
        elif code == "A":
            self.row -= number
        elif code == "C":
            self.column += number
        else:
            raise AssertionError(code)


OWN = "tests/net.launcher.yml "


@pytest.fixture
def screen():
    return Screen(OWN)


def line_on(screen, width=80):
    return ProgressLine("net-data", screen.write, width, len(OWN))


def top1():
    return "top1", 0.76123


def test_nothing_is_shown_of_a_short_evaluation(clock, screen):
    line = line_on(screen)
    for _ in range(10):
        line.seen(16, 160, top1)
        clock[0] += 0.19
    line.close()
    assert (screen.rows, screen.row, screen.column) == ([OWN, ""], 0, len(OWN))


def test_samples_rate_time_left_and_metric(clock, screen):
    line = line_on(screen)
    line.seen(100, 50_000, top1)
    clock[0] += 10
    line.seen(1_000, 50_000, top1)
    # The first batch waited for what is made once: 1,000 samples in 10 s.
    assert screen.rows == [OWN, "net-data  1,100/50,000 samples  100/s  8:09 left  top1 0.7612"]


def test_the_line_goes_away_and_the_cursor_returns(clock, screen):
    line = line_on(screen)
    for _ in range(5):
        line.seen(1, 10, top1)
        clock[0] += 3
    line.close()
    screen.write(".")
    assert screen.rows == [f"{OWN}.", ""]


def test_shorter_texts_leave_nothing_of_longer_ones(clock, screen):
    line = line_on(screen)
    line.seen(1, 10, lambda: ("a_very_long_metric", 1.0))
    for value in (("a_very_long_metric", 1.0), None):
        clock[0] += 5
        line.seen(1, 10, lambda value=value: value)
    assert screen.rows[1] == "net-data  3/10 samples  0.2/s  0:35 left"


def test_it_fits_the_terminal(clock, screen):
    line = line_on(screen, width=30)
    line.seen(1, None, top1)
    clock[0] += 5
    line.seen(1, None, top1)
    assert screen.rows[1] == "net-data  2 samples  0.2/s  t"


def test_it_is_written_five_times_a_second_and_measured_once(clock):
    written, measured = [], []

    def running():
        measured.append(clock[0])
        return top1()

    line = ProgressLine("net", written.append, 80, 0)
    for _ in range(1000):
        line.seen(1, 1000, running)
        clock[0] += 0.01
    assert 36 <= len(written) <= 41
    assert len(measured) == 8


@pytest.mark.parametrize(("seconds", "text"), [(5, "0:05"), (65.4, "1:05"), (3725, "1:02:05"), (0, "0:00")])
def test_time_left(seconds, text):
    assert progress._clock(seconds) == text
