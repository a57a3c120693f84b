"""An application whose views say which of them was chosen. Argument: the port."""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path, re_path

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, SECRET_KEY="a test's", APPEND_SLASH=True,
                   MIDDLEWARE=["django.middleware.common.CommonMiddleware"])
django.setup()


def view(name):
    return lambda request, **_: HttpResponse(request.path, headers={"x-view": name})


urlpatterns = [
    # As the rule says it: this path and what is below it. The second ignores case, by Unicode's rules.
    re_path(r"^public(?:/|$)", view("public")),
    re_path(r"(?i)^admin(?:/|$)", view("admin")),
    path("users/<str:id>/orders", view("orders")),
    re_path("", view("other")),
]


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


make_server("127.0.0.1", int(sys.argv[1]), get_wsgi_application(), handler_class=Quiet).serve_forever()
