"""`python_cases.py COMPONENT CASES`: verifies the corpus with the example, and prints the verdicts."""

import json
import sys
from pathlib import Path

from poolgate import AllOf, AnyOf, Denial, Guest, Limits, Pool, Verifier


def pool(words: dict) -> Pool:
    keys = words.pop("keys", None)
    if keys == "local":
        words["local_keys"] = True
    elif keys is not None:
        words["jwks_url"] = keys["url"]
    for name in ("groups", "scopes"):
        if name in words:
            required = words[name]
            kinds = {"any_of": AnyOf, "all_of": AllOf}
            lists = [kind(required[word]) for word, kind in kinds.items() if word in required]
            words[name] = lists[0] if len(lists) == 1 else lists
    return Pool(**words)


def verdict(guest: Guest, case: dict) -> dict:
    config = case["config"]
    pools = [pool(words) for words in config["pools"]]
    verifier = Verifier(guest, pools, limits=Limits(**config["limits"]), clock=lambda: int(case["now"]))
    for seed in case["seeds"]:
        verifier.load_key_set(seed["issuer"], seed["jwks"], int(seed["fetched_at"]))
    try:
        assert isinstance(verifier.verify(case["token"]).payload, dict)
        return {}
    except Denial as denial:
        return {"reason": denial.reason, "status": denial.status}
    finally:
        verifier.close()


guest = Guest(sys.argv[1])
print(json.dumps([verdict(guest, case) for case in json.loads(Path(sys.argv[2]).read_text("utf-8"))]))
