"""The metrics page of a router: read once, or once a second while something else goes on."""

import contextlib
import threading
import urllib.request


def fetch(admin, path="/metrics"):
    """The page of the endpoint at a port of this machine, as text."""
    with urllib.request.urlopen(f"http://127.0.0.1:{admin}{path}") as reply:
        return reply.read().decode()


def figure(page, metric):
    """The sum of a metric's series."""
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines()
               if line.startswith((metric + "{", metric + " ")))


@contextlib.contextmanager
def scraped(admin):
    """Meanwhile it is scraped once a second, the first time after half a second."""
    end = threading.Event()

    def scrape():
        wait = 0.5
        while not end.wait(wait):
            fetch(admin)
            wait = 1

    scraper = threading.Thread(target=scrape)
    scraper.start()
    try:
        yield
    finally:
        end.set()
        scraper.join()
