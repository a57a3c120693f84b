#!/usr/bin/env python3
"""Mends a bill of materials as cargo-cyclonedx writes it: bill.py BILL ROOT < what `cargo tree --prefix none` prints

It names the folder that the sources lie in, and lists what any member of the workspace needs: for a filter, the command line parser of a
program beside it. What stays is what the tree lists.
"""

import json
import sys


def main() -> None:
    path, root = sys.argv[1:]
    built = {tuple(line.split()[:2]) for line in sys.stdin if line.strip()}
    with open(path, encoding="utf-8") as file:
        bill = json.loads(file.read().replace(f"path+file://{root}/", "path+file:///"))
    own = bill["metadata"]["component"]
    bill["components"] = [part for part in bill["components"] if (part["name"], f"v{part['version']}") in built]
    # The package itself is in the tree, and no part of itself.
    if len(bill["components"]) != len(built) - 1:
        raise SystemExit(f"{path}: {len(bill['components'])} parts of {own['name']}, but the tree has {len(built) - 1}")
    refs = {own["bom-ref"], *(part["bom-ref"] for part in bill["components"])}
    bill["dependencies"] = [
        {**entry, "dependsOn": [ref for ref in entry.get("dependsOn", []) if ref in refs]}
        for entry in bill.get("dependencies", [])
        if entry["ref"] in refs
    ]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(bill, file, indent=1)
        file.write("\n")
    print(f"{path}: {len(refs)} packages")


main()
