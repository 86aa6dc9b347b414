#!/usr/bin/env python3
"""Runs clang-tidy over every file of compile_commands.json, on all cores: tools/tidy.py [FILE...]

What passed is remembered by the hash of everything it depends on (the file, the headers of ours it includes, its
command, .clang-tidy, clang-tidy itself) below $XDG_CACHE_HOME/corerig-tidy, and not looked at again.
"""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "corerig-tidy")
INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def sources_of(file):
    """The file and all headers of ours that it includes, directly or not."""
    seen, todo = {}, [os.path.relpath(file, ROOT)]
    while todo:
        path = todo.pop()
        if path in seen or not os.path.exists(os.path.join(ROOT, path)):
            continue
        seen[path] = read(os.path.join(ROOT, path))
        todo += [name.decode() for name in INCLUDE.findall(seen[path])]
    return seen


def stamp_of(entry, common):
    digest = hashlib.sha256(common)
    digest.update("\0".join(entry["arguments"]).encode())
    for path, text in sorted(sources_of(entry["file"]).items()):
        digest.update(path.encode() + b"\0" + hashlib.sha256(text).digest())
    return os.path.join(CACHE, digest.hexdigest())


def check(entry, common):
    """What clang-tidy found; None if nothing. Second: whether it was known before."""
    stamp = stamp_of(entry, common)
    if os.path.exists(stamp):
        os.utime(stamp)
        return None, True
    done = subprocess.run(["clang-tidy", "-quiet", "-p", ROOT, entry["file"]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        open(stamp, "w").close()
        return None, False
    return done.stdout if done.stdout.strip() else done.stderr, False


def forget_old():
    for name in os.listdir(CACHE):
        path = os.path.join(CACHE, name)
        if os.path.getmtime(path) < time.time() - 30 * 86400:
            os.remove(path)


def main():
    with open(os.path.join(ROOT, "compile_commands.json")) as f:
        entries = json.load(f)
    wanted = {os.path.abspath(name) for name in sys.argv[1:]}
    if wanted:
        entries = [entry for entry in entries if entry["file"] in wanted]
    if len(entries) == 0 or (wanted and len(entries) != len(wanted)):
        sys.exit("tidy.py: not every file is in compile_commands.json; run tools/compile_commands.py")
    os.makedirs(CACHE, exist_ok=True)
    forget_old()
    version = subprocess.run(["clang-tidy", "--version"], check=True, stdout=subprocess.PIPE).stdout
    common = version + read(os.path.join(ROOT, ".clang-tidy"))
    begin, failed, known = time.time(), 0, 0
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for found, was_known in pool.map(lambda entry: check(entry, common), entries):
            known += was_known
            if found is not None:
                failed += 1
                sys.stderr.write(found)
    print("clang-tidy: %d files, %d of them known, %d with findings, %.0f s" %
          (len(entries), known, failed, time.time() - begin))
    sys.exit(1 if failed else 0)


main()
