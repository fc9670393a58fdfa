"""The authorization server of fake_ehr.py: SMART Backend Services with private_key_jwt or a client secret.

It checks every claim of an assertion and hands out opaque tokens.  The signature is not checked here: an
implementation that nobody here wrote does that with the assertions it keeps (tests/interop/smart.mjs).
"""
import base64
import json
import secrets
import threading
import time
import urllib.parse

PATH = "/oauth2/token"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS = ("RS384", "ES384")


def decode(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Smart:
    def __init__(self, client_id, secret=None, certificate=None):
        self.client_id, self.secret, self.certificate = client_id, secret, certificate
        self.peers = []  # who showed which certificate
        self.lock = threading.Lock()
        self.tokens, self.seen, self.assertions = {}, set(), []
        self.requests = self.under_way = self.most_at_once = 0
        self.seconds = 300
        self.refusals = 0  # so many requests are answered with invalid_client

    def configuration(self, origin):
        return {"token_endpoint": origin + PATH, "issuer": origin,
                "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "tls_client_auth"],
                "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
                "grant_types_supported": ["client_credentials"],
                "capabilities": ["client-confidential-asymmetric", "permission-v2"]}

    def fault_of(self, form, authorization, audience, peer):
        """None when this is our client, else the reason."""
        if form.get("grant_type") != "client_credentials":
            return "unsupported_grant_type"
        if not form.get("scope"):
            return "invalid_scope"
        if self.certificate:  # RFC 8705
            is_it = form.get("client_id") == self.client_id and peer == self.certificate
            return None if is_it and "client_assertion" not in form else "invalid_client"
        if self.secret:
            wanted = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
            return None if authorization == f"Basic {wanted}" else "invalid_client"
        if form.get("client_assertion_type") != JWT_BEARER:
            return "invalid_client"
        try:
            head, claims, _ = form["client_assertion"].split(".")
            head, claims = json.loads(decode(head)), json.loads(decode(claims))
        except (KeyError, ValueError):
            return "invalid_request"
        now = time.time()
        is_fine = (head.get("alg") in ALGORITHMS and head.get("typ") == "JWT" and head.get("kid") and
                   claims.get("iss") == claims.get("sub") == self.client_id and
                   claims.get("aud") == audience and claims.get("jti") and
                   claims["jti"] not in self.seen and
                   now < claims.get("exp", 0) <= now + 300 and
                   claims.get("nbf", 1e12) <= now + 5 and claims.get("iat", 1e12) <= now + 5)
        if not is_fine:
            return "invalid_client"
        self.seen.add(claims["jti"])
        self.assertions.append({"assertion": form["client_assertion"], "audience": audience})
        return None

    def answer(self, body, authorization, origin, peer):
        """(status, JSON) to a token request."""
        form = {name: values[0] for name, values in urllib.parse.parse_qs(body.decode()).items()}
        with self.lock:
            self.requests += 1
            self.peers.append(peer)
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        time.sleep(0.05)  # long enough for a second one to show
        with self.lock:
            self.under_way -= 1
            fault = self.fault_of(form, authorization, origin + PATH, peer)
            if self.refusals > 0:
                self.refusals -= 1
                fault = "invalid_client"
            if fault:
                return 401 if fault == "invalid_client" else 400, {"error": fault}
            token = "opaque-" + secrets.token_urlsafe(24)
            self.tokens[token] = time.monotonic() + self.seconds
            return 200, {"access_token": token, "token_type": "bearer", "expires_in": self.seconds,
                         "scope": form["scope"]}

    def is_good(self, authorization):
        token = (authorization or "").removeprefix("Bearer ")
        return self.tokens.get(token, 0) > time.monotonic()

    def show(self):
        return json.dumps({"requests": self.requests, "most_at_once": self.most_at_once,
                           "assertions": self.assertions, "peers": self.peers}) + "\n"

    def control(self, wish):
        """{"seconds": 2, "refusals": 1, "revoke": true}"""
        self.seconds = wish.get("seconds", self.seconds)
        self.refusals = wish.get("refusals", self.refusals)
        if wish.get("revoke"):
            self.tokens.clear()
