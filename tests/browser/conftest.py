"""A real browser, a real page made by the command line, and what the browser requested and complained about."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

import compat

TESTS = Path(__file__).resolve().parents[1]
# Where the package under test lies: a checkout, or site-packages.
ROOT = Path(compat.__file__).resolve().parents[1]
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-first-run",
    "--no-default-browser-check",
    "--force-color-profile=srgb",
    "--window-size=1280,1600",
)
LEDGER = """
from compat.ledger import Ledger, names

LEDGER = Ledger("shop", version="2.0", docs="MIGRATION.md")
LEDGER += names("old.core", "new.core", "Manager Session=Connection", since="1.0", removal="3.0", instead=None)
LEDGER += names("old.auth", "new.auth", "AuthHandler=Authenticator", since="1.0", removal="2.0", instead=None)
LEDGER += names("old.never", "new.never", "Unused", since="1.0", removal="3.0", instead=None)
"""


def _absent(what: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{what} is absent; the browser tests must run here")
    pytest.skip(f"{what} is absent")


@pytest.fixture(scope="session")
def missing() -> Callable[[str], None]:
    """Skip for what is absent, or fail in CI."""
    return _absent


@pytest.fixture(scope="session")
def artefacts() -> Path:
    """Where screenshots are kept: ``COMPAT_ARTEFACTS``, else a directory below the temporary one."""
    place = Path(os.environ.get("COMPAT_ARTEFACTS") or Path(tempfile.gettempdir()) / "compat-artefacts")
    place.mkdir(parents=True, exist_ok=True)
    return place


class Browser:
    """A Chromium under test."""

    def __init__(self, driver: object, artefacts: Path) -> None:
        self.driver = driver
        self._artefacts = artefacts

    def open(self, url: str) -> None:
        """Load a page, with nothing left over from the page before."""
        self.driver.get("about:blank")
        self.complaints()
        self.requests()
        self.driver.get(url)

    def run(self, script: str, *arguments: object) -> object:
        """Return what a script returns."""
        return self.driver.execute_script(f"return {script}", *arguments)

    def complaints(self) -> list[str]:
        """What the console got since the last time: errors, warnings, violations of the policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses requested since the last time."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def shoot(self, name: str) -> None:
        """Keep a screenshot."""
        self.driver.save_screenshot(str(self._artefacts / f"{name}.png"))

    def texts(self, selector: str) -> list[str]:
        """The visible text of each visible element, in one step: a live page may replace them at any moment."""
        seen = "[...document.querySelectorAll(arguments[0])].filter((one) => one.checkVisibility())"
        return self.run(f"{seen}.map((one) => one.innerText.trim())", selector)

    def one(self, selector: str) -> object:
        """The first element."""
        from selenium.webdriver.common.by import By

        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        """Wait until a condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "the page never got there"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory, artefacts: Path) -> Iterator[Browser]:
    """Chromium, driven by Selenium."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        _absent("chromium or chromedriver")
    try:
        from selenium import webdriver
    except ModuleNotFoundError:
        _absent("selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    running = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    yield Browser(running, artefacts)
    running.quit()


@pytest.fixture(scope="session")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Install a package of npm for this session, and return its directory."""

    def install(wanted: str) -> Path:
        name = wanted.rpartition("@")[0]
        if shutil.which("npm") is None:
            _absent("npm")
        place = tmp_path_factory.mktemp("npm")
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place), wanted]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=180)
            problem = done.stderr if done.returncode else ""
        except subprocess.TimeoutExpired as exc:
            problem = str(exc)
        if problem:
            _absent(f"{wanted}, which npm does not give ({problem.strip()[:200]}),")
        return place / "node_modules" / name

    return install


@pytest.fixture(scope="session")
def axe(npm: Callable[[str], Path]) -> Callable[[Browser], list[str]]:
    """What axe-core finds on the page that is open, by its own rules for WCAG 2.2 A and AA, and best practices."""
    source = (npm("axe-core@4") / "axe.min.js").read_text(encoding="utf-8")
    run = (
        "const done = arguments[0]; axe.run().then("
        "({ violations }) => done(violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))),"
        "(error) => done([String(error)]))"
    )

    def findings(browser: Browser) -> list[str]:
        browser.driver.execute_script(source)
        return browser.driver.execute_async_script(run)

    return findings


@pytest.fixture(scope="session")
def histories() -> ModuleType:
    """The writer of histories that the tests of the report have."""
    spec = importlib.util.spec_from_file_location("histories", TESTS / "telemetry/reading/conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sites() -> Iterator[tuple[object, ...]]:
    """Uses of three moves by seven callers in two services that fall over twelve weeks."""
    callers = ("chat", "billing", "jobs", "web", "admin", "reports", "search")
    for at, caller in enumerate(callers):
        falling = {ago: (ago + 8) * (len(callers) - at) // 4 for ago in range(0, 84, 2)}
        rising = {ago: 90 - ago for ago in range(0, 80, 3)}
        yield "old.core:Manager", "import", f"{caller}/views.py", 3, "<module>", f"{caller}.views", "api", falling
        if at < 3:
            yield "old.core:Session", "call", f"{caller}/tasks.py", 40 + at, "run", f"{caller}.tasks", "worker", rising
    yield "old.core:Manager", "call", "search/queries.py", 8, "find", "search.queries", "api", {5: 1}
    yield "old.auth:AuthHandler", "subclass", "web/login.py", 12, "<module>", "web.login", "api", {9: 5, 40: 80}
    yield "old.lost", "import", "jobs/legacy.py", 1, "<module>", "jobs.legacy", "worker", {120: 3}


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, histories: ModuleType) -> Path:
    """A state directory with a history, and beside it a ledger that speaks of its moves."""
    place = tmp_path_factory.mktemp("usage")
    today = int(time.time() // 86400)
    histories.write_history(place / "usage.db", list(sites()), processes=4, today=today)
    (place / "shop_ledger.py").write_text(LEDGER, encoding="utf-8")
    return place


@pytest.fixture(scope="session")
def environment(place: Path) -> dict[str, str]:
    """The environment of commands that are run on ``place``."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{place}", "COMPAT_DIR": str(place)}


@pytest.fixture(scope="session")
def page(place: Path, environment: dict[str, str]) -> str:
    """The address of a page that the command line wrote."""
    file = place / "page.html"
    command = [sys.executable, "-m", "compat", "report", "--format", "html", "--ledger", "shop_ledger:LEDGER"]
    subprocess.run([*command, "--output", str(file)], env=environment, check=True, timeout=120)
    return file.as_uri()
