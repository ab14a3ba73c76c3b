import hashlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from checkpoint_specs import PLACES, Net, load, same

from pytest_torchlauncher.errors import ModelError
from pytest_torchlauncher.launcher import download


@dataclass
class Server:
    """Serves `files` by path, of which those in `cut` break off half-way; `requests` are the paths asked for."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    cut: set[str] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.requests.append(self.path)
            content = served.files.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            whole = content or b""
            self.wfile.write(whole[: len(whole) // 2] if self.path in served.cut else whole)

        def log_message(self, *args: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        served = Server(f"http://127.0.0.1:{http.server_port}")
        yield served
        http.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the cache, which is not there yet."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "torch" / "hub" / "checkpoints"


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    torch.manual_seed(7)
    return Net().state_dict()


@pytest.fixture
def content(state: dict[str, torch.Tensor], tmp_path: Path) -> bytes:
    torch.save(state, tmp_path / "local.pt")
    return (tmp_path / "local.pt").read_bytes()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _failure(path: Path | None = None, at: str = "checkpoint_url", **keys: Any) -> str:
    with pytest.raises(ModelError) as info:
        load(path, **keys)
    assert str(info.value) == f"{PLACES[at]}: {info.value.message}"
    return info.value.message


def _files(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.rglob("*"))


class TestFetching:
    def test_once(self, server: Server, cache: Path, content: bytes, state: Any) -> None:
        server.files["/nets/net.pt?raw=1"] = content
        url = f"{server.url}/nets/net.pt?raw=1"
        for _ in range(2):
            loaded = load(None, checkpoint_url=url)
            assert same(loaded.module, state)
            assert loaded.lean
        assert server.requests == ["/nets/net.pt?raw=1"]
        assert _files(cache) == ["net.pt"]
        assert (cache / "net.pt").read_bytes() == content

    def test_what_lies_there_needs_no_network(self, cache: Path, content: bytes, state: Any) -> None:
        cache.mkdir(parents=True)
        (cache / "net.pt").write_bytes(content)
        assert same(load(None, checkpoint_url="https://weights.invalid/v2/net.pt").module, state)

    def test_the_server_has_no_such_file(self, server: Server, cache: Path) -> None:
        url = f"{server.url}/net.pt"
        reason = "HTTPError: HTTP Error 404: Not Found"
        expected = f"checkpoint_url: could not download {url} ({reason}); put the file at {cache / 'net.pt'}"
        assert _failure(checkpoint_url=url) == expected
        assert _files(cache) == []

    def test_no_network(self, server: Server, cache: Path) -> None:
        url = "http://127.0.0.1:1/net.pt"
        found = _failure(checkpoint_url=url)
        pattern = rf"checkpoint_url: could not download {url} \(no network: .*\); put the file at {cache / 'net.pt'}"
        assert re.fullmatch(pattern, found)
        assert _files(cache) == []

    @pytest.mark.parametrize("name", ["nét.pt", "my net.pt"])
    def test_urls_that_cannot_be_asked_for(self, server: Server, cache: Path, name: str) -> None:
        found = _failure(checkpoint_url=f"{server.url}/{name}")
        assert found.startswith(f"checkpoint_url: could not download {server.url}/{name} (")
        assert found.endswith(f"); put the file at {cache / name}")

    def test_the_connection_breaks_off(self, server: Server, cache: Path, content: bytes) -> None:
        server.files["/net.pt"] = content
        server.cut.add("/net.pt")
        left = len(content) - len(content) // 2
        url = f"{server.url}/net.pt"
        assert _failure(checkpoint_url=url) == (
            f"checkpoint_url: could not download {url} (the connection broke off, {left} bytes before the end); "
            f"put the file at {cache / 'net.pt'}"
        )
        assert _files(cache) == []

    def test_the_user_interrupts(
        self, server: Server, cache: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.files["/net.pt"] = content

        def interrupted(source: Any, target: Any) -> None:
            target.write(source.read(10))
            assert "net.pt" in _files(cache)
            assert not (cache / "net.pt").exists()
            raise KeyboardInterrupt

        monkeypatch.setattr(download.shutil, "copyfileobj", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(None, checkpoint_url=f"{server.url}/net.pt")
        assert _files(cache) == []

    def test_the_cache_cannot_be_written(self, server: Server, cache: Path) -> None:
        cache.parent.mkdir(parents=True)
        cache.write_text("in the way")
        assert "could not download" in _failure(checkpoint_url=f"{server.url}/net.pt")

    def test_what_was_fetched_is_no_checkpoint(self, server: Server, cache: Path) -> None:
        server.files["/net.pt"] = b"<html>please log in</html>"
        path = cache / "net.pt"
        expected = f"checkpoint_url: {path} is not a checkpoint; a file written by torch.save or safetensors expected"
        assert _failure(checkpoint_url=f"{server.url}/net.pt") == expected


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://host/net.pt", "file:///net.pt", "net.pt", "/nets/net.pt", "https:///net.pt", "https://host"),
        *("https://host/nets/", "https://host/nets/..", "http://[half/net.pt", ""),
    ],
)
def test_urls_of_another_kind(url: str) -> None:
    expected = f"checkpoint_url: {url!r} found, the http or https URL of a file expected"
    assert _failure(checkpoint_url=url) == expected


class TestHash:
    @pytest.mark.parametrize("change", [str.lower, str.upper])
    def test_it_is_right(self, server: Server, cache: Path, content: bytes, state: Any, change: Any) -> None:
        server.files["/net.pt"] = content
        expected = change(_sha256(content))
        for _ in range(2):
            loaded = load(None, checkpoint_url=f"{server.url}/net.pt", checkpoint_sha256=expected)
            assert same(loaded.module, state)

    def test_a_wrong_download_is_not_kept(self, server: Server, cache: Path, content: bytes) -> None:
        server.files["/net.pt"] = content
        url = f"{server.url}/net.pt"
        assert _failure(at="checkpoint_sha256", checkpoint_url=url, checkpoint_sha256="A" * 64) == (
            f"checkpoint_sha256: what {url} gave for {cache / 'net.pt'} has the SHA-256 {_sha256(content)}, "
            f"{'a' * 64} expected; it was not kept; correct checkpoint_url, or correct checkpoint_sha256"
        )
        assert _files(cache) == []

    def test_of_a_cached_file(self, server: Server, cache: Path, content: bytes) -> None:
        cache.mkdir(parents=True)
        (cache / "net.pt").write_bytes(content[:-1])
        keys = {"checkpoint_url": f"{server.url}/net.pt", "checkpoint_sha256": "a" * 64}
        truncated = f"checkpoint_url: {cache / 'net.pt'} is truncated; copy or download it again"
        assert _failure(**keys) == truncated
        (cache / "net.pt").write_bytes(content)
        assert _failure(at="checkpoint_sha256", **keys) == (
            f"checkpoint_sha256: {cache / 'net.pt'} has the SHA-256 {_sha256(content)}, {'a' * 64} expected; "
            "remove the file, so that it is fetched again, or correct checkpoint_sha256"
        )
        assert server.requests == []

    def test_of_a_file_of_the_project(self, tmp_path: Path, content: bytes, state: Any) -> None:
        path = tmp_path / "local.pt"
        assert same(load(path, checkpoint_sha256=_sha256(content)).module, state)
        assert _failure(path, at="checkpoint_sha256", checkpoint_sha256="0" * 64) == (
            f"checkpoint_sha256: {path} has the SHA-256 {_sha256(content)}, {'0' * 64} expected; "
            "copy the file again, or correct checkpoint_sha256"
        )

    @pytest.mark.parametrize("wrong", ["", "abc", "g" * 64, "a" * 63, "a" * 65, "a" * 64 + "\n"])
    def test_it_is_no_hash(self, tmp_path: Path, content: bytes, wrong: str) -> None:
        expected = f"checkpoint_sha256: {wrong!r} found, 64 hexadecimal digits expected"
        assert _failure(tmp_path / "local.pt", at="checkpoint_sha256", checkpoint_sha256=wrong) == expected

    def test_it_is_no_hash_is_told_before_anything_is_fetched(self, server: Server) -> None:
        url = f"{server.url}/net.pt"
        found = _failure(at="checkpoint_sha256", checkpoint_url=url, checkpoint_sha256="abc")
        assert found == "checkpoint_sha256: 'abc' found, 64 hexadecimal digits expected"
        assert server.requests == []

    def test_of_nothing(self) -> None:
        assert _failure(at="checkpoint_sha256", checkpoint_sha256="a" * 64) == (
            "checkpoint_sha256: there is no checkpoint or checkpoint_url that it could be of; add one, or remove it"
        )


def test_two_checkpoints(tmp_path: Path) -> None:
    expected = "checkpoint_url: stands beside checkpoint, and only one of them can give the weights; remove one"
    assert _failure(tmp_path / "net.pt", checkpoint_url="https://host/net.pt") == expected
