"""How large the report page of 50 evaluations with 20 pictures each is, and how long writing it takes.

Run: python benchmarks/report_page.py
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "reports"))

from page_records import record

ROUNDS = 5


def main() -> None:
    """Print size and seconds; the first round compiles the template."""
    from pytest_torchlauncher.reports.html.page import write_page

    records = [record(index, pictures=20) for index in range(50)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "report.html"
        seconds = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            write_page(path, records, {})
            seconds.append(time.perf_counter() - start)
        size = path.stat().st_size / 1e6
    told = f"median {statistics.median(seconds):.2f} s, first {seconds[0]:.2f} s of {ROUNDS} rounds"
    print(f"50 evaluations with 20 pictures each, of names made to be escaped: {size:.1f} MB, {told}")


if __name__ == "__main__":
    main()
