"""Runs a command on a pseudo terminal, waits for words, presses keys, sends signals, and tells how it ended.

    terminal.py COLUMNS LINES STEPS COMMAND...

STEPS is a JSON list of ["wait", WORDS], ["press", KEYS] and ["signal", NUMBER]. Each has to come to pass within 60 s.
Prints one JSON object: `code`, `is_restored` (the terminal is set as before), `screen` (all that was shown before the
terminal was given back, without what steers it) and `left` (what stands there behind).
"""
import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

PATIENCE = 60
STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
GIVEN_BACK = "\x1b[?1049l"


def read(terminal, shown, until):
    """Reads until the condition holds, or the other side is closed."""
    deadline = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > deadline:
            sys.exit(f"not in {PATIENCE} s; it showed: {plain(shown)[-4000:]}")
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            return
        if not piece:
            return
        shown += piece


def plain(shown):
    return STEERING.sub("", shown.decode(errors="replace"))


def main():
    columns, lines, steps, command = int(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:]
    terminal, other = pty.openpty()
    fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    before = termios.tcgetattr(other)
    child = os.fork()
    if child == 0:
        os.setsid()
        fcntl.ioctl(other, termios.TIOCSCTTY, 0)
        for number in range(3):
            os.dup2(other, number)
        os.closerange(3, 256)
        os.execve(command[0], command, {**os.environ, "TERM": "xterm-256color"})
    shown, seen, ended = bytearray(), 0, []
    for kind, what in steps:
        if kind == "wait":
            read(terminal, shown, lambda: what in plain(shown[seen:]))
            if what not in plain(shown[seen:]):
                sys.exit(f"it ended before `{what}`: {plain(shown)[-4000:]}")
        elif kind == "press":
            seen = len(shown)
            os.write(terminal, what.encode())
        else:
            os.kill(child, what)

    def has_ended():
        ended.extend(status for found, status in [os.waitpid(child, os.WNOHANG)] if found)
        return ended

    read(terminal, shown, has_ended)
    # What it said last may still lie there.
    while select.select([terminal], [], [], 0)[0]:
        shown += os.read(terminal, 65536)
    screen, _, left = shown.decode(errors="replace").partition(GIVEN_BACK)
    print(json.dumps({
        "code": os.waitstatus_to_exitcode(ended[0]),
        "is_restored": termios.tcgetattr(other) == before,
        "screen": STEERING.sub("", screen),
        "left": STEERING.sub("", left),
    }))


main()
