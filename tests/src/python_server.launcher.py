"""`MODULE:FUNCTION ARGUMENT …`: runs a server for as long as the test process holds the other end of our standard input.

A test process that is killed, or that keeps its server in a static, never drops it; the closed pipe still ends us, and the directory of the
server's state goes too, if there is one.
"""
import importlib
import os
import shutil
import sys
import threading


def end_with_the_test_process():
    while os.read(0, 1024):
        pass
    if "STATE_DIR" in os.environ:
        shutil.rmtree(os.environ["STATE_DIR"], ignore_errors=True)
    os._exit(0)


threading.Thread(target=end_with_the_test_process, daemon=True).start()

module, function = sys.argv.pop(1).split(":")
getattr(importlib.import_module(module), function)()
