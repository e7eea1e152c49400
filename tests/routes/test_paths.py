"""What proxies make of paths, as real ones were seen to answer."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from ingress_lint.routes.paths import AS_WRITTEN, ENVOY, ENVOY_MERGING, GO, NGINX

ODD = [
    ("/foo//bar", "/foo/bar"),
    ("/foo/./bar", "/foo/bar"),
    ("/foo/../bar", "/bar"),
    ("/foo/%2e%2e/bar", "/bar"),
    ("/%66oo", "/foo"),
    ("//", "/"),
    ("/%2e", "/"),
    ("/foo//", "/foo/"),
    ("/foo;v=1", "/foo;v=1"),
    ("/a/b/../../c", "/c"),
]


@pytest.mark.parametrize(("written", "clean"), ODD)
def test_proxies_that_clean_paths_compare_the_same(written: str, clean: str) -> None:
    for proxy in (ENVOY_MERGING, GO, NGINX):
        assert proxy.matched(written) == clean
    for proxy in (ENVOY_MERGING, GO):
        assert proxy.forwarded(written) == clean
    for proxy in (NGINX, AS_WRITTEN):
        assert proxy.forwarded(written) == written
    assert AS_WRITTEN.matched(written) == written


def test_a_last_dot_leaves_its_slash_but_in_go() -> None:
    assert (ENVOY.matched("/bar/%2e"), NGINX.matched("/bar/."), GO.matched("/bar/%2e")) == ("/bar/", "/bar/", "/bar")
    assert (ENVOY.matched("/a/b/.."), GO.matched("/a/b/..")) == ("/a/", "/a")


def test_above_the_root() -> None:
    assert (ENVOY.matched("/../foo"), GO.matched("/../foo"), NGINX.matched("/../foo")) == ("/foo", "/foo", None)


def test_slashes_stay_where_they_are_not_merged() -> None:
    assert ENVOY.matched("/foo//bar") == "/foo//bar"


def test_what_is_decoded() -> None:
    path = "/foo%20x%2Fy%3f"
    assert ENVOY.matched(path) == "/foo%20x%2Fy%3F"
    assert (GO.matched(path), GO.forwarded(path)) == ("/foo x%2Fy%3F", "/foo%20x%2Fy%3F")
    assert NGINX.matched(path) == "/foo x/y?"
    assert NGINX.matched("/caf%C3%A9") == "/café"
    assert NGINX.matched("/%ff%zz%") == "/%ff%zz%"


def test_escaped_slashes_may_be_redirected() -> None:
    redirecting = replace(ENVOY_MERGING, escaped_slash=307)
    assert redirecting.redirected("/foo%2Fbar") == "/foo/bar"
    assert redirecting.redirected("/foo/bar") is None
    assert ENVOY_MERGING.redirected("/foo%2Fbar") is None


@pytest.mark.parametrize("text", ["/." * 100_000, "//" * 100_000, "%2e" * 100_000, "/.." * 100_000, "%" * 200_000])
def test_odd_paths_take_no_time(text: str) -> None:
    started = time.process_time()
    for proxy in (ENVOY_MERGING, GO, NGINX):
        proxy.matched(text)
    assert time.process_time() - started < 2
