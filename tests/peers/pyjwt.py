"""`pyjwt.py SHAPES`: verifies every shape with PyJWT, configured as its documentation says for the same policy.

Prints {"PyJWT": [...]}: for each shape null if the token is accepted, or the name of the error.
"""

import datetime
import json
import sys
from pathlib import Path
from typing import Any

import jwt
import jwt.api_jwt


class Clock(datetime.datetime):
    """The clock of the tests: the library reads the system's."""

    seconds = 0

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(cls.seconds, tz)


class Keys(jwt.PyJWKClient):
    """The client of the documentation, without a network."""

    def __init__(self, jwks: str) -> None:
        super().__init__("https://keys.example/jwks.json")
        self.jwks = jwks

    def fetch_data(self) -> Any:
        return json.loads(self.jwks)


def verify(shape: dict[str, Any]) -> None:
    Clock.seconds = shape["now"]
    audiences = shape["audiences"]
    # The policy requires these claims, and RSA keys of 2,048 bits.
    options = {
        "require": ["exp", "iss", "sub"],
        "verify_aud": audiences is not None,
        "enforce_minimum_key_length": True,
    }
    jwt.decode(
        shape["token"],
        Keys(shape["jwks"]).get_signing_key_from_jwt(shape["token"]),
        algorithms=shape["algorithms"],
        audience=audiences,
        issuer=shape["issuers"],
        options=options,
    )


def verdict(shape: dict[str, Any]) -> str | None:
    try:
        verify(shape)
    except Exception as error:  # noqa: BLE001: whatever it is, the token is not accepted
        return type(error).__name__
    return None


jwt.api_jwt.datetime = Clock
print(json.dumps({"PyJWT": [verdict(shape) for shape in json.loads(Path(sys.argv[1]).read_text("utf-8"))]}))
