"""``compat``: on the command line, in the launcher file, in the ini file."""

import pytest


@pytest.fixture
def compat(tiny, pytester):
    def of(*arguments):
        (item,), _ = pytester.inline_genitems(*arguments)
        return item.entry.evaluation.launcher.compat

    return of


def test_off_by_default(compat):
    assert compat() is None


def test_the_command_line_goes_before_the_file_before_the_ini_value(tiny, pytester, compat):
    pytester.makeini("[pytest]\nlauncher_compat = accuracy_checker\n")
    assert compat() == "accuracy_checker"
    assert compat("--launcher-compat=none") is None
    tiny.replace("name: tiny\n", "name: tiny\ncompat: none\n")
    assert compat() is None
    assert compat("--launcher-compat=accuracy_checker") == "accuracy_checker"
    tiny.replace("compat: none", "compat: accuracy_checker")
    assert compat("-o", "launcher_compat=none") == "accuracy_checker"
    assert compat("--launcher-compat=none") is None
    tiny.replace("batch: 4", "batch: 4\n    compat: none")
    assert compat() is None


def test_a_wrong_name(tiny, pytester):
    message = "'acuracy_checker' found, accuracy_checker or none expected; did you mean 'accuracy_checker'?"
    option = pytester.runpytest("--launcher-compat=acuracy_checker")
    assert (option.ret, option.stderr.lines[0]) == (4, f"ERROR: --launcher-compat: {message}")
    ini = pytester.runpytest("-o", "launcher_compat=acuracy_checker")
    assert (ini.ret, ini.stderr.lines[0]) == (4, f"ERROR: ini launcher_compat: {message}")
    tiny.replace("name: tiny\n", "name: tiny\ncompat: acuracy_checker\n")
    file = pytester.runpytest()
    file.assert_outcomes(failed=1)
    assert f"tiny.launcher.yml:2:9: compat: {message}" in file.stdout.lines


def test_compat_of_the_fixture(tiny, pytester):
    (pytester.path / "test_net.py").write_text(
        "def test_net(torch_launcher):\n"
        "    launcher = torch_launcher('tiny.launcher.yml', compat='accuracy_checker')\n"
        "    assert launcher._evaluation.launcher.compat == 'accuracy_checker'\n"
    )
    pytester.runpytest("test_net.py", "--launcher-compat=none").assert_outcomes(passed=1)
