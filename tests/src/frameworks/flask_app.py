"""An application whose views say which of them was chosen. Argument: the port."""

import sys

from flask import Flask, request

app = Flask(__name__)
app.url_map.strict_slashes = False


def view(name):
    return lambda **_: (request.path, {"x-view": name})


def other(**_):
    """The rest; and what is below /public and /admin, but none of their routes to Werkzeug, as an empty segment is."""
    below = [name for name in ("public", "admin") if request.path.startswith(f"/{name}/")]
    return request.path, {"x-view": below[0] if below else "other"}


for rule, name in [
    ("/public", "public"),
    ("/public/<path:rest>", "public"),
    ("/admin", "admin"),
    ("/admin/<path:rest>", "admin"),
    ("/users/<id>/orders", "orders"),
    ("/", None),
    ("/<path:rest>", None),
]:
    app.add_url_rule(rule, endpoint=rule, view_func=view(name) if name else other)

# gunicorn imports the module.
if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
