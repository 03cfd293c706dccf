"""What the environment says: proxies and certificate authorities."""

import ssl
import subprocess

import pytest

from django_lti_ags.ags.environment import Environment, Target
from django_lti_ags.ags.exchange import Failure
from tests.ags.scripted import answer


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://lms.example/x", "lms.example"),
        ("https://lms.example:443/x", "lms.example"),
        ("https://lms.example:80/x", "lms.example:80"),
        ("https://LMS.example:8443/x", "lms.example:8443"),
        ("http://lms.example:80/x", "lms.example"),
        ("http://lms.example:443/x", "lms.example:443"),
        ("https://[2001:db8::1]/x", "[2001:db8::1]"),
        ("https://[2001:db8::1]:8443/x", "[2001:db8::1]:8443"),
    ],
)
def test_the_host_header_leaves_out_the_schemes_own_port(url, host):
    assert Environment().target(url).authority == host


def test_the_host_header_as_it_goes_out(script, transport, certificate):
    bundle, context = certificate
    server = script(["read", answer()], tls=context)
    sender = transport(ca_bundle=bundle)
    target = Target("https", "127.0.0.1", 443)
    sender._environment.target = lambda url: target
    connect = sender._pool._make

    def elsewhere(target):
        connection = connect(target)
        connection.port = server.port
        return connection

    sender._pool._make = elsewhere
    assert sender.send("score", "POST", "https://127.0.0.1/x", body=b"{}").ok
    assert b"\r\nHost: 127.0.0.1\r\n" in server.requests[0]
    plain = script(["read", answer()])
    assert transport().send("score", "GET", plain.url).ok
    assert f"\r\nHost: 127.0.0.1:{plain.port}\r\n".encode() in plain.requests[0]
    assert plain.requests[0].count(b"Host:") == 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "lms.localhost", "LOCALHOST", "127.1", "localhost."])
def test_this_machine_is_never_asked_of_a_proxy(script, transport, monkeypatch, host):
    proxy = script(["read", answer(b'"proxy"')])
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "")
    sender = transport(allowed_private_hosts=[])
    assert sender._environment.target(f"http://{host}/x").proxy == ""
    exchange = sender.send("score", "GET", f"http://{host}:9/x")
    assert exchange.failure in (Failure.ADDRESS_REFUSED, Failure.DNS)
    assert proxy.requests == []


@pytest.mark.parametrize("scheme", ["https", "socks5", "socks5h", "socks4", "ftp"])
@pytest.mark.parametrize("variable", ["http_proxy", "https_proxy", "all_proxy"])
def test_only_http_proxies_are_spoken_to(transport, monkeypatch, scheme, variable):
    """Anything else would be spoken to in plain HTTP, with the password in clear."""
    monkeypatch.setenv(variable, f"{scheme}://user:s3cret@proxy.example:3128")
    with pytest.raises(ValueError, match=f"{variable} names a {scheme}:// proxy") as caught:
        transport()
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("value", ["http://", "http://:3128", "http://proxy.example:x", "http://user:s3cret@:0", "http://proxy:99999"])
def test_a_proxy_without_a_place_is_told(transport, monkeypatch, value):
    monkeypatch.setenv("https_proxy", value)
    with pytest.raises(ValueError, match="https_proxy names no host") as caught:
        transport()
    assert "s3cret" not in str(caught.value)


def test_a_proxy_that_is_not_used_may_be_anything(transport, monkeypatch):
    monkeypatch.setenv("all_proxy", "socks5://proxy.example")
    monkeypatch.setenv("http_proxy", "proxy.example:3128")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("ftp_proxy", "socks5://proxy.example")
    assert transport()._environment.target("http://lms.example/").proxy == "http://proxy.example:3128"


def test_a_proxys_password_is_in_no_repr(transport, monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:s3cret@proxy.example:3128")
    assert "s3cret" not in repr(transport()._environment.target("https://lms.example/"))


INSIDE = [
    "metadata.google.internal",
    "lms.internal.",
    "printer.local",
    "10.0.0.1.",
    "0xa9fea9fe",
    "2852039166",
    "169.254.43518",
    "metadata",
]


@pytest.mark.parametrize("host", INSIDE)
def test_a_proxy_is_not_asked_for_what_is_inside(script, transport, monkeypatch, host):
    proxy = script(["read", answer(b'"by proxy"')])
    monkeypatch.setenv("http_proxy", proxy.url)
    exchange = transport(allowed_private_hosts=[]).send("score", "GET", f"http://{host}/x")
    assert (exchange.failure, exchange.sent) == (Failure.ADDRESS_REFUSED, False)
    assert proxy.requests == []
    assert transport(allowed_private_hosts=[host]).send("score", "GET", f"http://{host}/x").json() == "by proxy"


def test_a_proxy_is_not_told_the_fragment(script, transport, monkeypatch):
    proxy = script(["read", answer()])
    monkeypatch.setenv("http_proxy", proxy.url)
    assert transport().send("score", "GET", "http://lms.example/x?y#secret").ok
    assert proxy.requests[0].startswith(b"GET http://lms.example/x?y HTTP/1.1\r\n")
    assert b"\r\nHost: lms.example\r\n" in proxy.requests[0]


def test_authorities_may_be_a_directory(script, transport, certificate, monkeypatch, tmp_path):
    """As for requests; OpenSSL finds a certificate there by the hash of its subject."""
    bundle, context = certificate
    found = ssl.create_default_context(cafile=bundle).get_ca_certs(binary_form=True)
    assert found
    directory = tmp_path / "authorities"
    directory.mkdir()
    subject_hash = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", bundle], capture_output=True, check=True, text=True)
    (directory / f"{subject_hash.stdout.strip()}.0").symlink_to(bundle)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(directory))
    assert transport().send("score", "GET", script(["read", answer()], tls=context).url).ok


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_authorities_that_are_not_there_are_told(transport, monkeypatch, variable, tmp_path):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(tmp_path / "nowhere.pem"))
    with pytest.raises(ValueError, match=rf"{variable}: .*nowhere\.pem"):
        transport()
    (tmp_path / "empty.pem").write_text("no certificate")
    with pytest.raises(ValueError, match=r"ca_bundle: .*empty\.pem"):
        transport(ca_bundle=str(tmp_path / "empty.pem"))
