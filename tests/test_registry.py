import sys
from dataclasses import dataclass

import pytest

from pytest_torchlauncher import registry
from pytest_torchlauncher.kinds import Metric, Reader


def make(qualname="Custom"):
    @dataclass(frozen=True)
    class Custom(Reader):
        """A reader for these tests."""

        def decode(self, content):
            return content, None

    Custom.__qualname__ = qualname
    return Custom


def test_what_is_registered_is_found():
    block = registry.register("test_custom")(make())
    assert registry.lookup("readers", "test_custom") is block
    assert "test_custom" in registry.names("readers")


def test_a_name_is_taken_once_by_kind():
    registry.register("test_custom")(make())
    message = "readers: 'test_custom' is registered twice, by .*Custom and by .*Other; give one of them another name"
    with pytest.raises(ValueError, match=message):
        registry.register("test_custom")(make("Other"))


def test_the_same_definition_may_come_again_as_when_a_conftest_is_imported_twice():
    registry.register("test_custom")(make())
    again = registry.register("test_custom")(make())
    assert registry.lookup("readers", "test_custom") is again


def test_unknown_names():
    with pytest.raises(LookupError) as error:
        registry.lookup("readers", "opencv_imraed")
    assert error.value.args[0].startswith("unknown name 'opencv_imraed'; did you mean 'opencv_imread'? there are ")
    with pytest.raises(LookupError) as error:
        registry.lookup("readers", "zzz")
    assert error.value.args[0].startswith("unknown name 'zzz'; there are ")
    assert "numpy_reader, " in error.value.args[0]
    with pytest.raises(LookupError, match="'wav_reader' is known to the Accuracy Checker, not supported here yet"):
        registry.lookup("readers", "wav_reader")


def test_packages_are_loaded_for_a_name_that_is_not_there(tmp_path, monkeypatch):
    (tmp_path / "test_registry_package.py").write_text(
        "from pytest_torchlauncher import Metric, register\n\n\n"
        "@register('test_from_package')\n"
        "class FromPackage(Metric):\n"
        "    '''A metric of another package.'''\n\n"
        "    def observe(self, annotations, predictions):\n        return [1] * len(annotations)\n\n"
        "    def summarize(self, evidence, meta):\n        raise ValueError\n"
    )
    info = tmp_path / "test_registry_package-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: test-registry-package\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[pytest_torchlauncher]\nmine = test_registry_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    registry.lookup("metrics", "accuracy")
    assert "test_registry_package" not in sys.modules
    block = registry.lookup("metrics", "test_from_package")
    assert issubclass(block, Metric)
    assert block.__module__ == "test_registry_package"
