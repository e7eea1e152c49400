"""The vocabulary finds symptoms in what people paste, and rules name symptoms that are in it."""

from __future__ import annotations

import re

import pytest

from ingress_lint.diagnosis import diagnose
from ingress_lint.packs import load_rules
from ingress_lint.rule import RuleEntry
from ingress_lint.symptoms import SYMPTOMS, matching

RULES = load_rules()
NGINX_ERROR = (
    "2024/05/07 10:11:12 [error] 404#404: *502 {} while reading response header from upstream, client: 10.0.0.1, "
    'server: shop.example.com, request: "GET /api/504 HTTP/1.1", upstream: "http://10.1.2.3:502/api", host: "shop"'
)
ACCESS = '10.0.0.1 - - [07/May/2024:10:11:12 +0000] "GET /404 HTTP/1.1" {} "-" "curl/8.4" 80 0.502 [shop-web-503] []'
ENVOY = '[2024-05-07T10:11:12.503Z] "GET /404 HTTP/1.1" {} - "-" 0 19 0 - "-" "curl/8.4" "id" "shop" "10.1.2.3:502"'


def named(*causes: str) -> set[str]:
    """The codes of the rules that declare one of these symptoms."""
    return {rule.code for rule in RULES for cause in rule.rule.symptoms if {*cause.often, *cause.sometimes} & {*causes}}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_rules_name_known_symptoms_once_in_each_cause(rule: RuleEntry) -> None:
    for cause in rule.rule.symptoms:
        names = [*cause.often, *cause.sometimes]
        assert names
        assert set(names) <= set(SYMPTOMS)
        assert len(names) == len(set(names))
        assert re.fullmatch(r"[a-zA-Z].*[^.]", cause.why)


@pytest.mark.parametrize("symptom", SYMPTOMS.values(), ids=lambda symptom: symptom.name)
def test_a_symptom_is_found_by_its_own_name(symptom) -> None:
    assert symptom in matching(symptom.name)
    assert re.compile(symptom.pattern)
    assert not symptom.meaning.endswith(".")


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        ("502", "502"),
        ("503", "503"),
        ("504", "504"),
        ("404", "404"),
        ("413", "413"),
        ("421", "421"),
        ("308", "redirect-loop"),
        ("308 loop", "redirect-loop"),
        ("upstream prematurely closed connection", "premature-close"),
        ("connection reset by peer", "connection-reset"),
        ("no healthy upstream", "no-healthy-upstream"),
        ("wrong version number", "wrong-version-number"),
        ("nf_conntrack: table full", "conntrack-full"),
        ("nf_conntrack: nf_conntrack: table full, dropping packet", "conntrack-full"),
        ("upstream sent too big header", "header-too-big"),
        ("no live upstreams", "no-live-upstreams"),
        ("TLS handshake timeout", "tls-handshake-timeout"),
        ("Target.ResponseCodeMismatch", "check-wrong-status"),
        ("Target.FailedHealthChecks", "check-failed"),
        ("Target.Timeout", "check-timeout"),
        ("failed_to_pick_backend", "no-healthy-upstream"),
        ("backend_connection_closed_before_data_sent_to_client", "premature-close"),
        ("failed_to_connect_to_backend", "connection-failure"),
        ("backend_timeout", "response-timeout"),
        ("UH", "no-healthy-upstream"),
        ("UF", "connection-failure"),
        ("UC", "premature-close"),
        ("UT", "response-timeout"),
        ("NR", "no-route"),
        (NGINX_ERROR.format("upstream prematurely closed connection"), "premature-close"),
        (NGINX_ERROR.format("recv() failed (104: Connection reset by peer)"), "connection-reset"),
        (NGINX_ERROR.format("upstream timed out (110: Connection timed out)"), "response-timeout"),
        (NGINX_ERROR.format("upstream sent too big header"), "header-too-big"),
        ("upstream timed out (110: Operation timed out) while connecting to upstream", "connect-timeout"),
        ("connect() failed (111: Connection refused) while connecting to upstream", "connection-refused"),
        ('Service "shop/web" does not have any active Endpoint.', "no-endpoints"),
        ("reset reason: connection termination", "premature-close"),
        ("reset reason: connection timeout", "connect-timeout"),
        ("curl: (7) Failed to connect to shop port 443 after 3 ms: Connection refused", "connection-refused"),
        ("curl: (28) Failed to connect to shop port 443 after 130 ms: Connection timed out", "connect-timeout"),
        ("curl: (28) Operation timed out after 5001 milliseconds with 0 bytes received", "response-timeout"),
        ("curl: (35) OpenSSL/3.0: error:0A00010B:SSL routines::wrong version number", "wrong-version-number"),
        ("curl: (47) Maximum (50) redirects followed", "redirect-loop"),
        ("curl: (52) Empty reply from server", "premature-close"),
        ("curl: (60) SSL certificate problem: self-signed certificate", "wrong-certificate"),
        ("curl: (22) The requested URL returned error: 504", "504"),
        ("< HTTP/2 502 ", "502"),
        ('{"status":502,"latency":"0.404s"}', "502"),
        ("status:503", "503"),
        ("Bad Gateway", "502"),
        (ACCESS.format("502 150"), "502"),
        ("ERR_TOO_MANY_REDIRECTS", "redirect-loop"),
    ],
)
def test_one_symptom_is_found_and_a_rule_explains_it(pasted: str, expected: str) -> None:
    assert [symptom.name for symptom in matching(pasted)] == [expected]
    diagnosis = diagnose(pasted, RULES)
    assert diagnosis.suspects
    assert diagnosis.codes == named(expected)


@pytest.mark.parametrize(
    ("pasted", "expected"),
    [
        ("503 UH", {"503", "no-healthy-upstream"}),
        (ENVOY.format("503 UF,URX"), {"503", "connection-failure", "retries-exhausted"}),
        (ENVOY.format("404 NR"), {"404", "no-route"}),
        ("Health checks failed with these codes: [404]", {"404", "check-wrong-status"}),
        (
            "remote connection failure, transport failure reason: WRONG_VERSION_NUMBER",
            {"connection-failure", "wrong-version-number"},
        ),
        ("502 and 504", {"502", "504"}),
    ],
)
def test_several_symptoms(pasted: str, expected: set[str]) -> None:
    assert {symptom.name for symptom in matching(pasted)} == expected


@pytest.mark.parametrize(
    "flag",
    re.findall(
        r"\w+",
        "UH UF UO NR URX NC DT DC DR LH UT LR UR UC DI FI RL UAEX RLSE IH SI DPE UPE UMSDR RFCF NFCF OM DF DO UDO",
    ),
)
def test_every_response_flag_is_known(flag: str) -> None:
    for pasted in (flag, f"0 {flag}", ENVOY.format(f"000 {flag}")):
        assert len(matching(pasted)) == 1, pasted


@pytest.mark.parametrize(
    "pasted",
    [
        "",
        "do not panic",
        "DO NOT PANIC",
        "http://10.1.2.3:503/404",
        "web-7d4-502",
        "took 0.504 s",
        "502ms",
        "port8502",
        "ACCESS 200",
    ],
)
def test_what_is_no_symptom(pasted: str) -> None:
    assert matching(pasted) == ()


def test_sizes_and_ports_of_an_access_log_are_no_statuses() -> None:
    assert matching(ACCESS.format("200 404")) == ()


def test_a_log_line_outdoes_a_status() -> None:
    assert diagnose("502 upstream prematurely closed connection", RULES).codes == named("premature-close")
    assert diagnose("503 UO", RULES).codes == frozenset()


def test_what_speaks_for_several_symptoms_comes_first() -> None:
    first = diagnose("503 UH", RULES).suspects[0]
    assert set(first.reasons[0].often) == {"503", "no-healthy-upstream"}
    assert diagnose("upstream prematurely closed connection", RULES).suspects[0].rule.code == "IL209"
    assert diagnose("308 redirect loop", RULES).suspects[0].rule.code == "IL111"


def test_words_of_the_pages_are_the_last_resort() -> None:
    diagnosis = diagnose("pods restart for ever while they start", RULES)
    assert diagnosis.symptoms == ()
    assert diagnosis.suspects[0].rule.code == "IL512"
    assert "restart for ever" in diagnosis.suspects[0].reasons[0].why
    assert diagnose("hello world, which after every other", RULES).suspects == ()


def test_a_long_text_costs_little() -> None:
    assert matching("A," * 1_000_000 + "timed out" * 100_000) == ()
