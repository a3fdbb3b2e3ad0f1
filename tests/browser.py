"""A real browser for the tests, told what to do over the pipe of its DevTools protocol."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking"),
    *("--disable-component-update", "--remote-debugging-pipe", "--window-size=1200,900"),
)
LAUNCH = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.dup2(int(sys.argv[2]), 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Gives the browser the two ends of the pipes under the numbers that it expects."""
SPARE = 10
"""File numbers below are left to the browser."""
PATIENCE = 60.0
"""Seconds to wait for an answer."""
KEYS = {"Tab": 9, "ArrowDown": 40, "ArrowUp": 38, "Enter": 13}


def found() -> str | None:
    """Return the browser of this machine, or None."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """A headless Chromium with one page; keeps what the page asked for and complained of."""

    def __init__(self, program: str, profile: Path) -> None:
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, SPARE) for end in (*os.pipe(), *os.pipe())]
        hears, self._tells, self._hears, tells = ends
        for end in (hears, tells):
            os.set_inheritable(end, True)
        launch = [sys.executable, "-c", LAUNCH, str(hears), str(tells), program]
        self._process = subprocess.Popen(
            [*launch, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(hears, tells),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(hears)
        os.close(tells)
        self._rest = b""
        self._number = 0
        self._session: dict[str, str] = {}
        self.requests: list[str] = []
        self.complaints: list[str] = []
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        attached = self.ask("Target.attachToTarget", targetId=page, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session = {}
        self.ask("Browser.close")
        self._process.wait(PATIENCE)
        os.close(self._tells)
        os.close(self._hears)

    def ask(self, method: str, **parameters: Any) -> Any:  # noqa: ANN401
        """Send a command and return its answer; events on the way are noted."""
        self._number += 1
        command = {"id": self._number, "method": method, "params": parameters, **self._session}
        os.write(self._tells, json.dumps(command).encode() + b"\0")
        while True:
            message = self._next()
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return message["result"]
            self._note(message)

    def _next(self) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._hears], [], [], max(0.0, until - time.monotonic()))
            part = os.read(self._hears, 1 << 16) if ready else b""
            if not part:
                raise TimeoutError("the browser does not answer")
            self._rest += part
        first, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(first)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        method, told = message["method"], message["params"]
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled":
            self.complaints.append(str(told["args"]))
        elif method == "Log.entryAdded":
            self.complaints.append(told["entry"]["text"])
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialogue: {told['message']}")
            self.ask("Page.handleJavaScriptDialog", accept=True)

    def open(self, address: str) -> None:
        """Open a file afresh and wait until it is loaded."""
        self.ask("Page.navigate", url="about:blank")
        self.requests.clear()
        self.complaints.clear()
        self.ask("Page.navigate", url=address)
        until = time.monotonic() + PATIENCE
        while self.value("[document.readyState, location.protocol].join()") != "complete,file:":
            if time.monotonic() > until:
                raise TimeoutError(f"the page was not loaded: {address[:80]}")
            time.sleep(0.02)

    def value(self, expression: str) -> Any:  # noqa: ANN401
        """Return the value of an expression in the page."""
        told = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in told:
            raise RuntimeError(str(told["exceptionDetails"]))
        return told["result"].get("value")

    def keep_files_in(self, folder: Path) -> None:
        """Let the page save files into a folder."""
        self.ask("Page.setDownloadBehavior", behavior="allow", downloadPath=str(folder))

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press and let go of a key."""
        code = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key]}
        extra = {**code, "modifiers": 8 if shift else 0}
        if key == "Enter":
            extra["text"] = "\r"
        self.ask("Input.dispatchKeyEvent", type="keyDown", **extra)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **code)

    def type(self, text: str) -> None:
        """Type characters one by one."""
        for character in text:
            self.ask("Input.dispatchKeyEvent", type="char", text=character)
