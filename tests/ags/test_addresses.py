"""Which addresses may be connected to."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_lti_ags.ags.addresses import AddressGuard, AddressRefused, is_public


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "::7f00:1",
        "::ffff:192.0.0.192",
        "198.18.0.1",
        "240.0.0.1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo, 127.0.0.1 inside
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "fec0::1",
        "5f00::1",
        "2001:db8::1",
        "3fff::1",
        "192.0.0.192",  # Oracle's metadata; a public address to older Pythons
        "168.63.129.16",  # Azure's platform
        "fd00:ec2::254",
        "100.100.100.200",
    ],
)
def test_private_addresses_are_refused_in_every_disguise(address):
    with pytest.raises(AddressRefused):
        AddressGuard().check("lms.example", 443, address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "192.0.1.1"]
)
def test_public_addresses_pass(address):
    AddressGuard().check("lms.example", 443, address)


@pytest.mark.parametrize(
    "entry", ["lms.campus.example", "LMS.campus.example", "lms.campus.example:8443", "*.campus.example", "10.0.0.0/8", "10.1.2.3/32"]
)
def test_what_an_operator_lists_passes(entry):
    AddressGuard([entry]).check("lms.campus.example", 8443, "10.1.2.3")


@pytest.mark.parametrize(
    "entry", ["other.example", "lms.campus.example:443", "*.other.example", "192.168.0.0/16", "fd00::/8", "campus.example"]
)
def test_what_is_not_listed_does_not(entry):
    with pytest.raises(AddressRefused):
        AddressGuard([entry]).check("lms.campus.example", 8443, "10.1.2.3")


def test_an_address_in_brackets_is_a_host():
    AddressGuard(["[::1]"]).check("::1", 80, "::1")
    AddressGuard(["::1"]).check("::1", 80, "::1")
    AddressGuard(["[::1]:80"]).check("::1", 80, "::1")
    with pytest.raises(AddressRefused):
        AddressGuard(["[::1]:80"]).check("::1", 81, "::1")


@pytest.mark.parametrize("entry", [" lms.campus.example. ", "*.Campus.example.", "lms.campus.example"])
@pytest.mark.parametrize("host", ["lms.campus.example", "LMS.campus.example."])
def test_a_dot_at_the_end_makes_no_other_host(entry, host):
    AddressGuard([entry]).check(host, 443, "10.1.2.3")


@pytest.mark.parametrize("host", ["campus.example", "evilcampus.example", "campus.example.evil.example"])
def test_a_star_stands_for_subdomains_only(host):
    with pytest.raises(AddressRefused, match=host):
        AddressGuard(["*.campus.example"]).check(host, 443, "10.1.2.3")


def test_a_network_of_one_family_says_nothing_of_the_other():
    guard = AddressGuard(["0.0.0.0/0"])
    guard.check("lms.example", 443, "127.0.0.1")
    with pytest.raises(AddressRefused):
        guard.check("lms.example", 443, "::1")
    AddressGuard(["fd00::/8"]).check("lms.example", 443, "fd00::1%eth0")


PRIVATE = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16")]


@given(st.ip_addresses(v=4))
def test_a_wrapped_address_is_as_public_as_the_one_inside(ip):
    number = int(ip)
    low, high = number & 0xFFFF, number >> 16
    wrapped = [
        f"::ffff:{ip}",
        f"64:ff9b::{high:x}:{low:x}",
        f"2002:{high:x}:{low:x}::1",
        f"2001:0:1234:5678:0:0:{high ^ 0xFFFF:x}:{low ^ 0xFFFF:x}",
    ]
    assert [is_public(ipaddress.ip_address(text)) for text in wrapped] == [is_public(ip)] * len(wrapped)


@given(st.sampled_from(PRIVATE).flatmap(lambda network: st.ip_addresses(network=network)))
def test_no_private_address_is_public(ip):
    assert not is_public(ip)


@pytest.mark.parametrize("entry", ["https://lms.example", "", " ", ".", "*", "*.", "lms.*.example", "10.0.0.0/99", "lms.example/path"])
def test_an_entry_that_is_no_host_is_refused(entry):
    with pytest.raises(ValueError, match=r"host|appear to be"):
        AddressGuard([entry])
