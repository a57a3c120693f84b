"""`python_gate.py KIND COMPONENT CONFIG NOW`: serves an application behind the middleware of the example, and prints its URL.

KIND is `asgi` (uvicorn), `hypercorn`, `starlette`, `fastapi`, `django-asgi`, `wsgi` (gunicorn), `waitress`, `wsgiref`, `flask` (gunicorn) or `django`
(waitress). CONFIG is the file with the configuration. NOW is the time of the clock, in seconds since the Unix epoch, or `system`. The application
responds with the target, the headers and the claims that it has received, as JSON. The process ends with its standard input.
"""

import asyncio
import json
import os
import socket
import sys
import threading
import time
from pathlib import Path

from gate import Gate, Guest

import asgi
import wsgi


def seen_by_asgi(scope) -> dict:
    query = scope["query_string"].decode()
    headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    return seen(scope["path"] + ("?" + query if query else ""), headers, scope["poolgate"])


def seen_by_wsgi(environ) -> dict:
    query, path = environ.get("QUERY_STRING", ""), environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"]
    headers = [[key, value] for key, value in environ.items() if key.startswith("HTTP_") or key in ("RAW_URI", "REQUEST_URI")]
    return seen(path + ("?" + query if query else ""), headers, environ["poolgate"])


def seen(target, headers, claims) -> dict:
    return {"target": target, "headers": headers, "claims": claims and {"subject": claims.subject, "username": claims.username}}


async def asgi_app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    body = json.dumps(seen_by_asgi(scope)).encode()
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": body.decode()})
        return await send({"type": "websocket.close"})
    fields = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def wsgi_app(environ, start_response):
    body = json.dumps(seen_by_wsgi(environ)).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def starlette_app():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    return Starlette(routes=[Route("/{rest:path}", lambda request: JSONResponse(seen_by_asgi(request.scope)), methods=METHODS)])


def fastapi_app():
    from fastapi import FastAPI, Request

    app = FastAPI()

    @app.api_route("/{rest:path}", methods=[*METHODS, "HEAD"])
    async def received(request: Request):
        return seen_by_asgi(request.scope)

    return app


def flask_app():
    from flask import Flask, request

    app = Flask("gated", static_folder=None)
    handler = lambda rest="": seen_by_wsgi(request.environ)
    app.add_url_rule("/", "root", handler, methods=METHODS)
    app.add_url_rule("/<path:rest>", "rest", handler, methods=METHODS)
    return app


def django_app(kind):
    import django
    from django.conf import settings
    from django.core.handlers.asgi import ASGIHandler
    from django.core.handlers.wsgi import WSGIHandler
    from django.http import HttpResponse, JsonResponse
    from django.urls import re_path

    def view(request):
        if request.method == "HEAD":
            return HttpResponse()
        return JsonResponse(seen_by_asgi(request.scope) if kind == "asgi" else seen_by_wsgi(request.environ))

    settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF="django_urls", SECRET_KEY="x", MIDDLEWARE=[])
    sys.modules["django_urls"] = type(sys)("django_urls")
    sys.modules["django_urls"].urlpatterns = [re_path("", view)]
    django.setup()
    return ASGIHandler() if kind == "asgi" else WSGIHandler()


METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]


def serve_uvicorn(app, listener):
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on" if app_kind == "asgi" else "auto")
    asyncio.run(uvicorn.Server(config).serve(sockets=[listener]))


def serve_hypercorn(app, listener):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config

    config = Config()
    config.bind = [f"fd://{listener.fileno()}"]
    config.errorlog = None
    asyncio.run(serve(app, config))


def serve_gunicorn(app, listener):
    from gunicorn.app.base import BaseApplication

    class Served(BaseApplication):
        def load_config(self):
            # The gate was created before the fork, as with --preload.
            self.cfg.set("bind", f"fd://{listener.fileno()}")
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("threads", 4)
            self.cfg.set("loglevel", "critical")
            self.cfg.set("control_socket_disable", True)

        def load(self):
            return app

    sys.argv = sys.argv[:1]
    Served().run()


def serve_waitress(app, listener):
    import waitress

    waitress.serve(app, sockets=[listener], _quiet=True)


def serve_wsgiref(app, listener):
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_):
            pass

    server = WSGIServer(listener.getsockname(), Quiet, bind_and_activate=False)
    server.socket = listener
    server.server_name, server.server_port = listener.getsockname()
    server.setup_environ()
    server.set_app(app)
    server.serve_forever()


KINDS = {
    "asgi": (lambda: asgi_app, serve_uvicorn),
    "hypercorn": (lambda: asgi_app, serve_hypercorn),
    "starlette": (starlette_app, serve_uvicorn),
    "fastapi": (fastapi_app, serve_uvicorn),
    "django-asgi": (lambda: django_app("asgi"), serve_uvicorn),
    "wsgi": (lambda: wsgi_app, serve_gunicorn),
    "waitress": (lambda: wsgi_app, serve_waitress),
    "wsgiref": (lambda: wsgi_app, serve_wsgiref),
    "flask": (flask_app, serve_gunicorn),
    "django": (lambda: django_app("wsgi"), serve_waitress),
}


def end_with_standard_input():
    while os.read(0, 1024):
        pass
    os._exit(0)


app_kind, component, configuration, now = sys.argv[1:]
make, serve = KINDS[app_kind]
clock = time.time if now == "system" else lambda: int(now)
gate = Gate(Guest(component), Path(configuration).read_text("utf-8"), clock=clock)
middleware = asgi.GateMiddleware if serve in (serve_uvicorn, serve_hypercorn) else wsgi.GateMiddleware
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=end_with_standard_input, daemon=True).start()
print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
serve(middleware(make(), gate), listener)
