"""A transport, servers that play a script, certificates, and a client with its platform."""

import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from django_lti_ags.ags.client import Client
from django_lti_ags.ags.tokens import Credentials
from django_lti_ags.ags.transport import Transport
from django_lti_ags.testing.platforms import ALL_SCOPES, SimulatedPlatform, User
from tests.ags.scripted import Script, answer
from tests.conftest import KEY_ID


@pytest.fixture
def script():
    running = []

    def start(*connections, **options) -> Script:
        running.append(Script(*connections, **options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


@pytest.fixture
def transport():
    made = []

    def make(**options) -> Transport:
        made.append(Transport(**({"allowed_private_hosts": ["127.0.0.1"]} | options)))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("by-proxy.example")]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "cert.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    return str(tmp_path / "cert.pem"), context


@pytest.fixture
def world(tool_key, transport):
    """A platform with a course, a column and 25 learners, and a client of it."""
    with SimulatedPlatform(line_item_query="type_id=2") as platform:
        tool = platform.register_tool(client_id="quiz", public_jwks={"keys": [tool_key.jwk]})
        course = platform.add_course("c", users=[User(id=f"u{number}", login="", name="") for number in range(25)])
        link = platform.add_link(course, "Quiz", tool, score_maximum=10)

        class World:
            pass

        world = World()
        world.platform, world.course, world.item = platform, course, link.line_item
        world.url = platform.line_item_url(course, link.line_item)
        world.container = platform.gradebook.container_url(course)
        world.seen = []
        world.credentials = Credentials(platform.token_url, "quiz", tool_key.pem, KEY_ID)
        world.transport = transport()

        def client(**options):
            return Client(
                options.pop("credentials", world.credentials),
                scopes=options.pop("scopes", ALL_SCOPES),
                transport=world.transport,
                observe=world.seen.append,
                **options,
            )

        world.make, world.client = client, client()
        yield world


@pytest.fixture
def scripted(world, script):
    """A client, and a scripted server that gives it a token first."""

    def start(*steps, token=b'{"access_token":"a-token"}', token_headers=(), **options):
        server = script(["read", answer(token, headers=token_headers), *steps])
        client = world.make(credentials=replace(world.credentials, token_url=server.url + "/token"), **options)
        return client, server

    return start


@pytest.fixture(scope="module")
def credentials(tool_key):
    return Credentials("https://lms.example/token", "quiz", tool_key.private, "kid-1")
