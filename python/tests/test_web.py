"""The services that the documentation shows, with Flask and Django, called over HTTP."""

import json
import os
import tempfile
import threading
import urllib.error
import urllib.request
import uuid
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from audiostretchy.stretch import stretch_audio


def post(url, fields, name=None, content=b""):
    """Posts a form with a file; returns the status and the body."""
    boundary = uuid.uuid4().hex
    lines = []
    for key, value in fields.items():
        lines.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode())
    if name is not None:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="audio"; filename="{name}"\r\n'
        lines.append(head.encode() + b"Content-Type: audio/mpeg\r\n\r\n" + content + b"\r\n")
    lines.append(f"--{boundary}--\r\n".encode())
    request = urllib.request.Request(url, data=b"".join(lines))
    request.add_header("Content-Type", f"multipart/form-data; boundary={boundary}")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        pass


def serve(application):
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/stretch"


def flask_application():
    from flask import Flask, request, send_file
    from werkzeug.utils import secure_filename

    app = Flask(__name__)

    @app.route("/stretch", methods=["POST"])
    def endpoint():
        if "audio" not in request.files:
            return {"error": "No audio file provided"}, 400
        file = request.files["audio"]
        ratio = float(request.form.get("ratio", 1.0))
        filename = secure_filename(file.filename)
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, filename)
            target = os.path.join(folder, f"stretched_{filename}")
            file.save(source)
            try:
                stretch_audio(source, target, ratio=ratio)
                return send_file(target, as_attachment=True)
            except Exception as error:
                return {"error": str(error)}, 500

    return app


def django_application():
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse, JsonResponse
    from django.urls import path
    from django.views.decorators.csrf import csrf_exempt

    @csrf_exempt
    def view(request):
        if "audio" not in request.FILES:
            return JsonResponse({"error": "No audio file"}, status=400)
        audio = request.FILES["audio"]
        parameters = json.loads(request.POST.get("params", "{}"))
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, audio.name)
            with open(source, "wb") as file:
                for chunk in audio.chunks():
                    file.write(chunk)
            target = os.path.join(folder, f"stretched_{audio.name}")
            try:
                stretch_audio(source, target, **parameters)
                with open(target, "rb") as file:
                    return HttpResponse(file.read(), content_type="audio/wav")
            except Exception as error:
                return JsonResponse({"error": str(error)}, status=500)

    settings.configure(
        ROOT_URLCONF=type("urls", (), {"urlpatterns": [path("stretch", view)]}),
        ALLOWED_HOSTS=["127.0.0.1"],
        SECRET_KEY="of a test",
    )
    django.setup()
    return get_wsgi_application()


@pytest.mark.parametrize("make", [flask_application, django_application])
def test_a_file_is_posted_and_comes_back_stretched(make, talk, tmp_path):
    server, url = serve(make())
    try:
        content = talk.read_bytes()
        ratio = {"ratio": 1.2, "params": json.dumps({"ratio": 1.2})}
        status, body = post(url, ratio, "talk.mp3", content)
        stretch_audio(talk, tmp_path / "out.mp3", ratio=1.2)
        assert status == 200 and body == (tmp_path / "out.mp3").read_bytes()
        assert post(url, ratio)[0] == 400
        status, body = post(url, ratio, "talk.mp3", b"no audio")
        assert status == 500 and "not supported" in json.loads(body)["error"]
    finally:
        server.shutdown()
