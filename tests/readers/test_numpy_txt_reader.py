"""The numpy_txt_reader against numpy's own writer, and its refusals."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from pytest_torchlauncher.readers.numpy_txt_reader import NumpyTxtReader

NUMBERS = arrays(np.float64, array_shapes(min_dims=1, max_dims=2, max_side=5), elements=st.floats(-1e6, 1e6))


def decode(content):
    return NumpyTxtReader().decode(content)


@given(array=NUMBERS)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_what_numpy_writes_is_read(array):
    file = io.BytesIO()
    np.savetxt(file, array)
    read, color = decode(file.getvalue())
    assert color is None
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, array.squeeze())


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"1 2\n3 4\n", [[1, 2], [3, 4]]),
        (b"# a comment\r\n1\t2  # another\r\n\r\n3 4", [[1, 2], [3, 4]]),
        (b"\xef\xbb\xbf1.5", 1.5),
        (b"1\n2\n3", [1, 2, 3]),
        (b"1e-3 -inf nan", [1e-3, -np.inf, np.nan]),
    ],
)
def test_forms_of_text(content, expected):
    np.testing.assert_array_equal(decode(content)[0], expected)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "^no number found, a text of numbers expected$"),
        (b" \n# 1 2\n", "^no number found, a text of numbers expected$"),
        (b"1 \xff", "^byte 2 is no UTF-8, a text of numbers expected$"),
        (b"1 two", "^no table of numbers: could not convert string 'two' to float64"),
        (b"1 2\n3\n", "^no table of numbers: .*number of columns changed from 2 to 1"),
    ],
)
def test_other_content_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        decode(content)
