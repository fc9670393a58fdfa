"""What tests tell fake_ehr.py and ask it: the paths under /control/ (see the head of fake_ehr.py)."""
import json
import ssl
import threading
import time
import urllib.request

from ehr_vendors import Refusal, TYPES

NOTIFY_DEADLINE_S = 2


class Control:
    """A part of the request handler."""

    def control(self, what):
        state = self.server.state
        with state.lock:
            if self.command == "GET":
                text = {"verify": self.show_verify, "words": self.show_words, "state": self.show_state, "count": self.show_count, "log": self.show_log,
                        "trap": lambda: f"hits={state.trap.hits} tokens={state.trap.tokens}\n",
                        "smart": lambda: state.smart.show(),
                        "notified": lambda: "".join(state.notified)}.get(what)
                if text is None:
                    raise Refusal(404, "not-found", "no such control")
                self.answer(200, text().encode(), kind="text/plain")
                return
            wish = json.loads(self.body or b"{}")
            act = {"faults": state.faults.set, "edit": self.edit, "copy": self.copy,
                   "delete": self.delete, "pause": self.pause, "merge": self.merge,
                   "notify": self.notify, "smart": lambda wish: state.smart.control(wish), "reset": lambda _: state.reset()}.get(what)
            if act is None:
                raise Refusal(404, "not-found", "no such control")
            try:
                act(wish)
            except (KeyError, IndexError, ValueError) as error:
                raise Refusal(400, "invalid", str(error)) from None
        self.answer(200, b"ok\n", kind="text/plain")
        if what == "pause":
            threading.Thread(target=self.server.shutdown).start()

    def the_one(self, wish):
        return self.server.state.find(wish["type"], wish["identity"])[0]

    def edit(self, wish):
        state = self.server.state
        current = self.the_one(wish)
        resource = dict(state.public(current), **wish.get("set", {}))
        stored, _ = state.store(wish["type"], current["id"], resource, wish.get("ahead_s", 0))
        stored["_identity"] = wish["identity"]

    def copy(self, wish):
        state = self.server.state
        stored, _ = state.store(wish["type"], state.new_id(), state.public(self.the_one(wish)))
        stored["_identity"] = wish["identity"]

    def delete(self, wish):
        state = self.server.state
        del state.resources[wish["type"]][self.the_one(wish)["id"]]

    def merge(self, wish):
        self.server.state.merged[wish["from"]] = wish["to"]

    def notify(self, wish):
        """A subscription notification of the R4 backport, with ids only."""
        bundle = {"resourceType": "Bundle", "type": "history", "entry": [
            {"resource": {"resourceType": "Parameters", "parameter": [
                {"name": "type", "valueCode": "event-notification"},
                {"name": "notification-event", "part": [
                    {"name": "event-number", "valueString": "1"},
                    {"name": "focus", "valueReference": {"reference": wish["focus"]}}]}]},
             "request": {"method": "GET", "url": "Subscription/1/$status"}}]}
        request = urllib.request.Request(wish["url"], json.dumps(bundle).encode(),
                                         {"Content-Type": "application/fhir+json"})
        context = ssl._create_unverified_context()  # the caller's own test server
        started, status = time.monotonic(), 0
        try:
            with urllib.request.urlopen(request, timeout=NOTIFY_DEADLINE_S + 1, context=context) as reply:
                status = reply.status
        except OSError as error:
            status = getattr(error, "code", 0)
        took_s = time.monotonic() - started
        verdict = "in-time" if status // 100 == 2 and took_s < NOTIFY_DEADLINE_S else "late-or-refused"
        self.server.state.notified.append(f"{status} {verdict}\n")

    def pause(self, wish):
        self.server.state.pause_ms = int(wish["ms"])
        self.close_connection = True

    def tally(self, kind, identity):
        state = self.server.state
        total = {"stored": 0, "creates": 0, "updates": 0}
        for (of_kind, of_identity), entry in state.tally.items():
            if of_kind == kind and identity in (None, of_identity):
                total["creates"] += entry["creates"]
                total["updates"] += entry["updates"]
        total["stored"] = sum(1 for r in state.resources[kind].values()
                              if identity in (None, r["_identity"]))
        return total

    def show_state(self):
        state = self.server.state
        stored, identities = {}, {}
        for kind in TYPES:
            for resource in state.resources[kind].values():
                key = kind, resource["_identity"]
                stored[key] = stored.get(key, 0) + 1
        for (kind, identity), entry in state.tally.items():
            identities[f"{kind} {identity}"] = {"stored": stored.get((kind, identity), 0),
                                                "creates": entry["creates"],
                                                "updates": entry["updates"]}
        return json.dumps({
            "mode": state.mode, "requests": state.requests, "identities": identities,
            "resources": [state.public(r) for kind in TYPES
                          for r in state.resources[kind].values()],
            "log": state.log}, indent=1) + "\n"

    def show_verify(self):
        """What no storm may bring about: a second record of one identity, or an older wish after a newer one
        of the same patient and kind.  The words of the tests sort by age."""
        state = self.server.state
        wrong = [f"{kind} {identity}: {entry['creates']} creates"
                 for (kind, identity), entry in state.tally.items() if entry["creates"] > 1]
        latest = {}
        for entry in state.log:
            if entry["status"] // 100 != 2 or not entry["words"]:
                continue
            key = entry["patient"], entry["type"]
            if entry["words"] < latest.get(key, ""):
                wrong.append(f"{key}: {entry['words']} after {latest[key]}")
            latest[key] = entry["words"]
        return "\n".join(wrong) + "\n" if wrong else "ok\n"

    def show_words(self):
        """The last that each patient's records of a type were given: "Patient/p1 change 003"."""
        kind = self.query["type"][0]
        latest = {e["patient"]: e["words"] for e in self.server.state.log
                  if e["type"] == kind and e["status"] // 100 == 2 and e["words"]}
        return "".join(f"{patient} {words}\n" for patient, words in sorted(latest.items()))

    def show_count(self):
        identity = self.query.get("identity", [None])[0]
        total = self.tally(self.query["type"][0], identity)
        return (f"stored={total['stored']} creates={total['creates']} "
                f"updates={total['updates']} requests={self.server.state.requests}\n")

    def show_log(self):
        patient = self.query.get("patient", [None])[0]
        return "".join(f"{e['method']} {e['type']} {e['status']} {e['patient']}\n"
                       for e in self.server.state.log if patient in (None, e["patient"]))
