// fhirclient (SMART on FHIR's JavaScript client) against a running gateway over mutual TLS.
import assert from "node:assert/strict";
import { order, tell } from "./mutual_tls.mjs";

const { default: smart } = await import("fhirclient");

// On a server the client hangs on a request; there is none here, and nothing is asked of it.
const request = { headers: {}, url: "/", session: {} };
const client = smart(request, { headersSent: false }, { get: async () => undefined, set: async () => {} })
  .client({ serverUrl: process.env.BASE_URL });

async function refused(promise, status) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.status ?? error.statusCode, status, String(error));
    return true;
  });
}

await tell("fhirclient", {
  "the CapabilityStatement tells the release": async () => {
    assert.equal(await client.getFhirVersion(), "4.0.1");
    assert.equal(await client.getFhirRelease(), 4);
  },

  "a resource is created, read, changed and deleted": async () => {
    const created = await client.create({ resourceType: "Patient", gender: "female" });
    assert.ok(created.id);
    const changed = await client.update({ ...created, birthDate: "1960" });
    assert.equal(changed.meta.versionId, "2");
    assert.equal((await client.request(`Patient/${created.id}`)).birthDate, "1960");
    await client.delete(`Patient/${created.id}`);
    await refused(client.request(`Patient/${created.id}`), 410);
  },

  "a JSON Patch changes what it names": async () => {
    await client.update(order("smart-1", "smart"));
    const stopped = await client.patch("MedicationRequest/smart-1", [
      { op: "replace", path: "/status", value: "stopped" },
    ]);
    assert.equal(stopped.status, "stopped");
  },

  "all pages of a search are followed": async () => {
    for (let number = 0; number < 7; number += 1)
      await client.update(order(`page-${number}`, "pages"));
    const found = await client.request("MedicationRequest?patient=pages&_count=3",
      { pageLimit: 0, flat: true });
    assert.deepEqual(found.map((resource) => resource.id),
      [0, 1, 2, 3, 4, 5, 6].map((number) => `page-${number}`));
  },

  "references in a result are resolved": async () => {
    await client.update({ resourceType: "Patient", id: "graph", gender: "male" });
    await client.update(order("graph-1", "graph"));
    const found = await client.request("MedicationRequest/graph-1",
      { resolveReferences: "subject", graph: true });
    assert.equal(found.subject.gender, "male");
  },

  "the lines of therapy of a patient": async () => {
    const answer = await client.request("Patient/graph/$lines-of-therapy");
    assert.equal(answer.resourceType, "Parameters");
  },

  "a refusal carries the OperationOutcome": async () => {
    const { status, ...bad } = order("smart-2", "smart");
    await refused(client.update(bad), 400);
  },
});
