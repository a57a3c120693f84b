"""Verifies a token from standard input.

    python verify.py --user-pool-id ID --client-id ID --token-use access < token.txt

Exit codes: 0 valid, 1 rejected, 2 wrong usage, 3 keys unavailable (the token was not verified).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from poolgate import AnyOf, Denial, Guest, Pool, Verifier


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0], allow_abbrev=False)
    parser.add_argument("--user-pool-id")
    parser.add_argument("--issuer")
    parser.add_argument("--jwks-url")
    parser.add_argument("--client-id", action="append", metavar="ID")
    parser.add_argument("--token-use", required=True, choices=("access", "id", "access_or_id"))
    parser.add_argument("--group", action="append", metavar="NAME")
    parser.add_argument("--at", type=int, metavar="SECONDS", help="verify as of this time instead of the current time")
    options = parser.parse_args()
    try:
        pool = Pool(
            user_pool_id=options.user_pool_id,
            issuer=options.issuer,
            jwks_url=options.jwks_url,
            client_ids=options.client_id,
            token_use=options.token_use,
            groups=AnyOf(options.group) if options.group else None,
        )
        clock = time.time if options.at is None else lambda: options.at
        verifier = Verifier(Guest(Path(__file__).with_name("poolgate.wasm")), [pool], clock=clock)
    except ValueError as error:
        parser.error(str(error))
    try:
        # From standard input, because every process can read the command line of another.
        claims = verifier.verify(sys.stdin.read().strip())
        print(json.dumps({"verdict": "allow", "claims": asdict(claims)}))
        return 0
    except Denial as denial:
        print(json.dumps({"verdict": "deny", "reason": denial.reason, "status": denial.status}))
        return 3 if denial.status == 503 else 1
    finally:
        verifier.close()


if __name__ == "__main__":
    sys.exit(main())
