"""An S3 server for tests: moto's, which checks signatures, with one bucket and one user. Prints its port and keys as JSON."""
import json
import os
import sys
import threading
from io import BytesIO

# From the first request on, every one must be signed by somebody who may make it.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

ACCOUNT = "123456789012"
BUCKET = sys.argv[1]

iam = iam_backends[ACCOUNT]["aws"]
iam.create_user(region_name="us-east-1", user_name="studymate")
key = iam.create_access_key("studymate")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
iam.put_user_policy("studymate", "all", json.dumps(policy))
s3_backends[ACCOUNT]["aws"].create_bucket(BUCKET, "us-east-1")

moto = DomainDispatcherApplication(create_backend_app)
lock = threading.Lock()


def application(environ, start_response):
    """moto looks whether a key is free and writes it in two steps: one request at a time, once its body is here."""
    length = int(environ.get("CONTENT_LENGTH") or 0)
    environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
    with lock:
        parts = moto(environ, start_response)
        try:
            return [b"".join(parts)]
        finally:
            if hasattr(parts, "close"):
                parts.close()


class Handler(WSGIRequestHandler):
    # Connections are kept, as real servers do.
    protocol_version = "HTTP/1.1"

    def log_request(self, *args):
        pass


server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Handler)
print(json.dumps({"port": server.port, "accessKeyId": key.access_key_id, "secretAccessKey": key.secret_access_key}), flush=True)
server.serve_forever()
