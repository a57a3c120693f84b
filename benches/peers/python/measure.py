"""Measures a full verification in Python with PyJWT. Prints one JSON object to standard output.

    python measure.py TOKENS_FILE

Checked: RS256, issuer, expiry (required). Not checked: the audience, which access tokens don't have, token use and
client id. The key is loaded once, and no kid is looked up. No token is ever printed: a failure names the error's class
and nothing of its text, which may quote claims.
"""

import json
import platform
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from typing import Any, Iterator

import cryptography
import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

WARM_UP_SECONDS = 0.3
SLICES = 21
TOKENS_A_SLICE = 200


class Failure(Exception):
    """An error message for standard error."""


def read_tokens_file(path: str) -> tuple[str, RSAPublicKey, list[str]]:
    """The file of tokens: the issuer, its key and the tokens."""
    try:
        file: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        key = RSAAlgorithm.from_jwk(file["jwks"]["keys"][0])
        issuer, tokens = str(file["issuer"]), list(file["tokens"])
    except (OSError, ValueError, LookupError, TypeError, jwt.PyJWTError) as error:
        raise Failure(f"{path} can't be read as a tokens file ({type(error).__name__})") from None
    if not isinstance(key, RSAPublicKey) or not tokens:
        raise Failure(f"{path} is not a tokens file: it has no tokens, or its key is not a public one")
    return issuer, key, tokens


def measure(issuer: str, key: RSAPublicKey, tokens: list[str]) -> list[float]:
    """Returns the microseconds per token of each slice. Tokens are used in rotation, after a warm-up with each of them."""
    decode = jwt.PyJWT(options={"require": ["exp"], "verify_aud": False}).decode
    rotation: Iterator[str] = cycle(tokens)

    def slice_of_tokens() -> float:
        turn = list(islice(rotation, TOKENS_A_SLICE))
        started = time.perf_counter_ns()
        for token in turn:
            decode(token, key, algorithms=["RS256"], issuer=issuer)
        return (time.perf_counter_ns() - started) / 1e3 / TOKENS_A_SLICE

    warm, seen = time.perf_counter() + WARM_UP_SECONDS, 0
    while seen < len(tokens) or time.perf_counter() < warm:
        slice_of_tokens()
        seen += TOKENS_A_SLICE
    return [slice_of_tokens() for _ in range(SLICES)]


def main() -> int:
    if len(sys.argv) != 2:
        print("usage: python measure.py TOKENS_FILE", file=sys.stderr)
        return 2
    try:
        issuer, key, tokens = read_tokens_file(sys.argv[1])
        us = measure(issuer, key, tokens)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    except (jwt.PyJWTError, AttributeError, TypeError) as error:
        print(f"pyjwt: a token was not verified ({type(error).__name__})", file=sys.stderr)
        return 1
    runtime = f"{platform.python_implementation()} {platform.python_version()}, cryptography {cryptography.__version__}"
    print(json.dumps({"id": "pyjwt", "name": "PyJWT decode", "version": jwt.__version__, "runtime": runtime, "us": us}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
