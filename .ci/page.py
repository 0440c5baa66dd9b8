"""Tests the page of the simulator in a real browser, and its view in a terminal.

The page is tested with axe-core, with the keyboard only, and without scripts.
Arguments: the directory of the programs, the file of axe-core and, optionally, a
directory for screenshots.
"""

import fcntl
import html
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time

import pyte
from playwright.sync_api import sync_playwright

programs, axe = os.path.abspath(sys.argv[1]), open(sys.argv[2], encoding="utf-8").read()
pictures = sys.argv[3] if len(sys.argv) > 3 else None
home = tempfile.mkdtemp()
world = os.path.join(home, "world")
environment = {**os.environ, "PATH": programs + ":" + os.environ["PATH"],
               "HOME": home, "REFGATE_SIM_HOME": home}


def shell(line, folder=home):
    subprocess.run(["sh", "-c", line], cwd=folder, env=environment, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


shell(f"refgate-sim start freeze-day-12 --dir {world}")
you = os.path.join(world, "you")
shell("git switch -q dev && git merge -q --no-ff --no-edit origin/feature/search; git push -q origin dev || true", you)
serve = subprocess.Popen(["refgate-sim", "serve"], cwd=you, env=environment, text=True,
                         stdout=subprocess.PIPE)
address = serve.stdout.readline().strip()
try:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium",
                                             args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 1300})
        errors = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address, wait_until="domcontentloaded")
        assert page.title() == "Day 12 of a code freeze", page.title()
        assert "reject dev by ada (freeze)" in page.content()
        # The content security policy of the page blocks foreign scripts such as axe.
        context = browser.new_context(bypass_csp=True)
        looked = context.new_page()
        looked.goto(address, wait_until="domcontentloaded")
        looked.evaluate(axe)
        found = looked.evaluate("axe.run()")["violations"]
        told = [(one["id"], [node["html"] for node in one["nodes"]][:2]) for one in found]
        assert not found, told
        # The page updates itself.
        before = page.inner_text("strong")
        shell("refgate-sim tick 2d", you)
        page.wait_for_function("before => document.querySelector('strong').innerText !== before",
                               arg=before, timeout=5000)
        # The page works with the keyboard only.
        after = page.inner_text("strong")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_function("before => document.querySelector('strong').innerText !== before",
                               arg=after, timeout=5000)
        assert not errors, errors
        # The page works without scripts.
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(address, wait_until="domcontentloaded")
        shown = plain.inner_text("strong")
        plain.click("text=Undo the last step")
        assert plain.inner_text("strong") != shown
        plain.click("text=Show a hint")
        assert "The rule freeze rejected your last push" in plain.content()
        if pictures:
            os.makedirs(pictures, exist_ok=True)
            page.goto(address, wait_until="domcontentloaded")
            page.screenshot(path=os.path.join(pictures, "simulator-page.png"), full_page=True)
        browser.close()
finally:
    serve.kill()


def watched(keys):
    """Returns the screen of `refgate-sim watch` after each key, in a terminal of 110 x 34."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(you)
        os.execvpe("refgate-sim", ["refgate-sim", "watch"], {**environment, "TERM": "xterm-256color"})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 34, 110, 0, 0))
    screen = pyte.Screen(110, 34)
    stream = pyte.ByteStream(screen)
    shown = []
    for key in [None, *keys]:
        if key:
            os.write(terminal, key)
        ends = time.monotonic() + 2
        while time.monotonic() < ends:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    stream.feed(os.read(terminal, 65536))
                except OSError:
                    break
        shown.append("\n".join(screen.display))
        if key is None and pictures:
            photograph(screen)
    _, status = os.waitpid(child, 0)
    return shown, os.waitstatus_to_exitcode(status)


def photograph(screen):
    """Writes a screenshot of the terminal, which the browser draws."""
    rows = []
    for line in range(screen.lines):
        row = ""
        for column in range(screen.columns):
            one = screen.buffer[line][column]
            colour = {"default": "#ddd", "brown": "#cc3"}.get(one.fg, one.fg)
            bold = "bold" if one.bold else "normal"
            row += f'<span style="color:{colour};font-weight:{bold}">{html.escape(one.data)}</span>'
        rows.append(row)
    text = "\n".join(rows)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium",
                                             args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 960, "height": 660})
        page.set_content('<body style="margin:0;background:#111"><pre style="font:14px/18px '
                         f'DejaVu Sans Mono,monospace;padding:12px;margin:0">{text}</pre>')
        page.screenshot(path=os.path.join(pictures, "simulator-watch.png"))
        browser.close()


(first, ticked, undone, _), code = watched([b"t", b"u", b"q"])
assert "Still missing" in first and "reject dev by ada (freeze)" in first, first
assert "it is 2026-" in ticked and ticked != first, ticked
assert "the world is restored" in undone, undone
assert code == 0, code
print("the page works in a browser, with the keyboard and without scripts; axe finds no error")
print("the terminal shows the world, advances it by one day, undoes this, and quits")
