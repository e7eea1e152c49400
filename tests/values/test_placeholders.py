"""Which texts stand for values that somebody else fills in, and which only look like it."""

from __future__ import annotations

import time

import pytest

from ingress_lint.values.placeholders import (
    has_actions,
    is_placeholder,
    known_start,
    may_stand_for,
    occur_in,
    without_actions,
)

OPEN = [
    "${DOMAIN/./-}-tls",
    "${PORT:=80}",
    "shop.${domain}",
    "${var.host}",
    "$APP",
    "$(NAMESPACE)",
    "{{ host }}",
    '"{{ .Values.host }}"',
    "{% if a %}x{% endif %}",
    "<your-domain>",
    "app.<domain>",
    "<paste the certificate, please>",
    "{GATEWAY_CLASS_NAME}",
    "@@HOST@@",
    "@VERSION@",
    "#{host}#",
    "__HOST__",
    "ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]",
]
VALUES = [
    "",
    "shop.example.com",
    "REPLACE_ME",
    "CHANGEME",
    "/$1",
    "/api/${1}",
    "https://$host$request_uri",
    "${scheme}://www.example.com${request_uri}",
    "$http_x_forwarded_for",
    "https://#{host}:443/#{path}?#{query}",
    "$(uri_captures.id)",
    "%DOWNSTREAM_REMOTE_ADDRESS%",
    "/users/{name}",
    "/a{2,3}",
    r"/\p{Greek}/\x{FF}",
    "/(?P<id>[0-9]+)/(?<name>.*)",
    "a < b and c > d",
    '{"type": "fixed-response"}',
    "user@example.com",
    "image@sha256:0123",
    "Host(`a.example.com`) && PathPrefix(`/{id:[0-9]+}`)",
    "#!/bin/sh\nexec nginx -g ${FLAGS}\n",
]


@pytest.mark.parametrize("text", OPEN)
def test_stands_for_another_value(text: str) -> None:
    assert is_placeholder(text)
    assert occur_in(f"a: {text}\n")


@pytest.mark.parametrize("text", VALUES)
def test_is_a_value(text: str) -> None:
    assert not is_placeholder(text)


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("web", "web", True),
        ("web", "api", False),
        ("${APP}", "web", True),
        ("${APP}-web", "shop-web", True),
        ("${APP}-web", "shop-api", False),
        ("shop-${APP}", "web", False),
        ("${A}-x-${B}", "1-x-2", True),
        ("${A}-x-${B}", "1-y-2", False),
        ("a${X}a", "a", False),
        ("a${X}a", "aa", True),
        ("a${X}b${Y}bc", "abc", False),
    ],
)
def test_what_it_may_stand_for(text: str, value: str, expected: bool) -> None:
    assert may_stand_for(text, value) is expected


def test_known_start() -> None:
    assert known_start("/${BASE}/x") == "/"
    assert known_start("/plain") == "/plain"


def test_templates_without_their_actions() -> None:
    text = (
        'a: {{ b }}\n{%- for x in y %}\n  {{- toYaml . | nindent 4 }}\nc: "{{ d }}-x"\n{# note #}\n- {{ e }}: 1\n'
        "{{/* two\nlines */}}\n"
    )
    filled = without_actions(text)
    assert len(filled) == len(text)
    assert filled.count("\n") == text.count("\n")
    assert [line for line in filled.splitlines() if line.strip()] == ["a: __XXX__", 'c: "__XXX__-x"', "- __XXX__: 1"]


@pytest.mark.parametrize("text", ["a: {{ b }}", "{% if a %}", "{# a #}", "#@ load('a')\n", "a: #@ b\n"])
def test_is_a_template(text: str) -> None:
    assert has_actions(text)


@pytest.mark.parametrize("text", ["a: {b: 1}\n", "# @a\n", "a: '#@'\n", "a: b#@c\n"])
def test_is_no_template(text: str) -> None:
    assert not has_actions(text)


@pytest.mark.parametrize(
    "text",
    ["{{" * 100_000, "{{ a }} " * 50_000, "{%" * 100_000, "{#" * 100_000, "<a" * 100_000, "$" * 100_000, "_" * 100_000],
    ids=lambda text: text[:4],
)
def test_hostile_text_takes_no_time(text: str) -> None:
    started = time.process_time()
    without_actions(text)
    is_placeholder(text)
    is_placeholder(text[:1_000])
    occur_in(text)
    may_stand_for("${A}a" * 200, "a" * 100_000)
    assert time.process_time() - started < 2
