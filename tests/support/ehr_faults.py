"""What goes wrong at fake_ehr.py, and when: counters, values, and chaos from a seed."""
import email.utils
import random
import time

COUNTERS = ("drop", "lose", "gateway", "fail", "throttle_seconds", "throttle_date", "conflict", "invalid",
            "unauthorized", "truncate", "redirect", "expired")
VALUES = ("slow_ms", "lag_ms", "chaos", "storm", "skew_s", "code", "code_count")
# Happens to a write before it is carried out, and after.
BEFORE = ("lose", "fail", "throttle_seconds", "throttle_date", "conflict", "invalid", "redirect")
AFTER = ("drop", "gateway", "truncate")
CHAOS = ("drop", "lose", "gateway", "fail", "conflict", "throttle_seconds")
STORM_WRITE = ("drop", "drop", "lose", "gateway", "fail", "conflict", "throttle_seconds", "throttle_date",
               "truncate", "redirect", "unauthorized", "slow")
STORM_READ = ("lose", "fail", "throttle_seconds", "throttle_date", "truncate", "redirect", "unauthorized",
              "slow")


class Faults:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.reset()

    def reset(self):
        self.armed = {name: 0 for name in COUNTERS + VALUES}

    def set(self, faults):
        unknown = set(faults) - set(COUNTERS + VALUES)
        if unknown:
            raise ValueError(f"no such fault: {', '.join(sorted(unknown))}")
        self.armed.update({name: int(value) for name, value in faults.items()})

    def value(self, name):
        return self.armed[name]

    def take(self, *names):
        """The first of these that is armed; its counter goes down."""
        for name in names:
            if self.armed[name] > 0:
                self.armed[name] -= 1
                return name
        return None

    def take_write(self):
        fault = self.take(*BEFORE, *AFTER)
        if fault is None and self._strikes("chaos"):
            fault = self.random.choice(CHAOS)
        if fault is None and self._strikes("storm"):
            fault = self.random.choice(STORM_WRITE)
        return fault

    def take_read(self):
        """`redirect` and `truncate` are spent on writes when they are counters."""
        return self.random.choice(STORM_READ) if self._strikes("storm") else None

    def take_handshake(self):
        """A storm shows an expired certificate now and then."""
        return self.take("expired") is not None or self._strikes("storm", 10)

    def take_code(self):
        """An error number of Epic's, for the next so many writes."""
        if self.armed["code_count"] <= 0:
            return None
        self.armed["code_count"] -= 1
        return self.armed["code"]

    def _strikes(self, name, divisor=1):
        return self.random.randrange(100 * divisor) < self.armed[name]

    def now(self):
        """The EHR's clock."""
        return time.time() + self.armed["skew_s"]

    def retry_after(self, fault):
        if fault == "throttle_date":
            return email.utils.formatdate(self.now() + 2, usegmt=True)
        return "1"


def parse(text):
    faults = {}
    for part in (text or "").replace(",", " ").split():
        name, _, number = part.partition("=")
        faults[name] = int(number or 1)
    return faults
