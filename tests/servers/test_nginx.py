"""nginx in front: the path passed on as it came, and what a ``proxy_pass`` with a path leaves of it."""

from __future__ import annotations

import pytest

from django_lti_ags.models import Score
from tests.api.conftest import encoded
from tests.example.ports import free_port
from tests.servers.processes import COMMANDS, start
from tests.servers.test_addresses import ODD, SCORE, renamed
from tests.servers.wire import Wire

pytestmark = [pytest.mark.servers, pytest.mark.django_db(transaction=True)]
CONFIGURATION = """
daemon off;
pid {here}/nginx.pid;
error_log stderr;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {here}/bodies;
    proxy_temp_path {here}/proxied;
    uwsgi_temp_path {here}/uwsgi;
    fastcgi_temp_path {here}/fastcgi;
    scgi_temp_path {here}/scgi;
    client_max_body_size 10m;
    proxy_set_header Host $http_host;
    server {{
        listen 127.0.0.1:{{port}};
        location / {{ proxy_pass http://127.0.0.1:{gunicorn}; }}
        location /with-a-path/ {{ proxy_pass http://127.0.0.1:{gunicorn}/; }}
    }}
    server {{
        listen 127.0.0.1:{beside};
        location / {{
            uwsgi_pass 127.0.0.1:{uwsgi};
            uwsgi_param PATH_INFO $document_uri;
            uwsgi_param REQUEST_URI $request_uri;
            uwsgi_param REQUEST_METHOD $request_method;
            uwsgi_param QUERY_STRING $query_string;
            uwsgi_param CONTENT_TYPE $content_type;
            uwsgi_param CONTENT_LENGTH $content_length;
            uwsgi_param SERVER_PROTOCOL $server_protocol;
            uwsgi_param SERVER_NAME $server_name;
            uwsgi_param SERVER_PORT $server_port;
        }}
    }}
}}
"""


@pytest.fixture(scope="module")
def nginx(database, tmp_path_factory):
    """Three processes; the port of what proxies to gunicorn, and of what speaks uwsgi."""
    here, beside, begun = tmp_path_factory.mktemp("nginx"), free_port(), []
    gunicorn = [*COMMANDS["gunicorn"], "--workers=1", "--preload"]
    uwsgi = [part.replace("--http-socket=", "--socket=") for part in COMMANDS["uwsgi"]]
    try:
        for name, command in (("gunicorn", gunicorn), ("uwsgi", uwsgi)):
            begun.append(start(name, command, here, database))
        text = CONFIGURATION.format(here=here, beside=beside, gunicorn=begun[0].port, uwsgi=begun[1].port)
        front = free_port()
        (here / "nginx.conf").write_text(text.replace("{port}", str(front)), encoding="utf-8")
        begun.append(start("nginx", ["nginx", "-p", str(here), "-e", "stderr", "-c", str(here / "nginx.conf")], here, port=front))
        yield front, beside
    finally:
        for process in reversed(begun):
            process.end()


@pytest.mark.parametrize("behind", ["gunicorn", "uwsgi"])
def test_the_path_as_it_came(nginx, moodle, worker, behind):
    wire = Wire(nginx[behind == "uwsgi"], moodle.header)
    item = f"lineitems/{encoded(moodle.column)}"
    assert wire.call("GET", item).data["id"] == moodle.column
    assert wire.call("POST", f"{item}/scores?wait=30", SCORE).status == 204
    assert wire.call("GET", f"{item}/scores").data["scores"][0]["resultScore"] == 8
    chunked = wire.call("POST", f"{item}/scores?wait=30", SCORE | {"userId": "u2"}, chunked=True)
    assert chunked.status == 204, "nginx says how long it is"
    assert wire.call("POST", f"lineitems/{encoded(moodle.container + '/9/scores')}", {}).is_error(405), "it is a column"
    assert wire.call("GET", "lineitems/https%3A%2F%2Fx.example%2F%FF").is_error(400, "INVALID_LINE_ITEM_ID")
    Score.objects.all().delete()
    for odd in ODD:
        row = renamed(moodle, moodle.container + odd)
        assert wire.call("POST", f"lineitems/{encoded(row.url)}/scores", SCORE | {"scoreGiven": 1}).status == 204, odd


def test_a_proxy_pass_with_a_path_decodes_it(nginx, moodle):
    """What is left is enough for most ids; those that end in ``/scores`` or hold two slashes are mistaken."""
    wire = Wire(nginx[0], moodle.header, prefix="/with-a-path/lti/api/")
    item = f"lineitems/{encoded(moodle.column)}"
    assert wire.call("GET", item).data["id"] == moodle.column
    assert wire.call("POST", f"{item}/scores", SCORE).status == 204
    assert wire.call("POST", f"lineitems/{encoded(moodle.container + '/9/scores')}", {}).is_error(400, "INVALID_SCORE")
    assert wire.call("POST", f"lineitems/{encoded(renamed(moodle, moodle.container + '/9/scores').url)}", {}).is_error(405)
    assert wire.call("POST", f"lineitems/{encoded(renamed(moodle, moodle.container + '//9').url)}/scores", SCORE).is_error(404)
