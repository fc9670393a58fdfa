// fhir-kit-client against a running gateway: CRUD, search and a transaction over mutual TLS.
// Started by run.py, which gives: BASE_URL, CA_FILE, CERT_FILE, KEY_FILE.
import assert from "node:assert/strict";
import fs from "node:fs";

// Node's own fetch takes no client certificate from the library; without it the library brings one.
for (const name of ["fetch", "Headers", "Request", "Response"]) delete globalThis[name];
const { default: Client } = await import("fhir-kit-client");

const client = new Client({
  baseUrl: process.env.BASE_URL,
  requestOptions: {
    ca: fs.readFileSync(process.env.CA_FILE),
    cert: fs.readFileSync(process.env.CERT_FILE),
    key: fs.readFileSync(process.env.KEY_FILE),
  },
});

const rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm";
const order = (id, patient) => ({
  resourceType: "MedicationRequest",
  ...(id ? { id } : {}),
  status: "active",
  intent: "order",
  medicationCodeableConcept: { coding: [{ system: rxnorm, code: "40048" }] },
  subject: { reference: `Patient/${patient}` },
  authoredOn: "2024-01-08",
});

const stories = {
  "the CapabilityStatement is read": async () => {
    const statement = await client.capabilityStatement();
    assert.equal(statement.resourceType, "CapabilityStatement");
    assert.equal(statement.fhirVersion, "4.0.1");
  },

  "a resource is created, read, changed, read as it was, and deleted": async () => {
    const created = await client.create({
      resourceType: "Patient",
      body: { resourceType: "Patient", gender: "female" },
    });
    assert.ok(created.id);
    const read = await client.read({ resourceType: "Patient", id: created.id });
    assert.equal(read.gender, "female");
    const updated = await client.update({
      resourceType: "Patient", id: created.id, body: { ...read, birthDate: "1960" },
    });
    assert.equal(updated.meta.versionId, "2");
    const first = await client.vread({ resourceType: "Patient", id: created.id, version: "1" });
    assert.equal(first.birthDate, undefined);
    await client.delete({ resourceType: "Patient", id: created.id });
    await assert.rejects(client.read({ resourceType: "Patient", id: created.id }),
      (error) => error.response.status === 410);
  },

  "a resource is found by its identifier": async () => {
    const flag = {
      resourceType: "Flag", id: "kit-flag", status: "active", code: { text: "x" },
      identifier: [{ system: "urn:kit", value: "1" }], subject: { reference: "Patient/kit" },
    };
    await client.update({ resourceType: "Flag", id: flag.id, body: flag });
    const found = await client.search({
      resourceType: "Flag", searchParams: { identifier: "urn:kit|1" },
    });
    assert.equal(found.total, 1);
    assert.equal(found.entry[0].resource.id, "kit-flag");
    assert.equal(found.entry[0].search?.mode, "match");
  },

  "a transaction is stored as a whole": async () => {
    const reply = await client.transaction({
      body: {
        resourceType: "Bundle", type: "transaction",
        entry: [
          {
            fullUrl: "urn:uuid:0e2c1a5c-6f5a-4b7f-9df8-0c8c4b4c9a01",
            resource: { resourceType: "Patient", gender: "male" },
            request: { method: "POST", url: "Patient" },
          },
          {
            fullUrl: "urn:uuid:0e2c1a5c-6f5a-4b7f-9df8-0c8c4b4c9a02",
            resource: {
              ...order(null, "x"),
              subject: { reference: "urn:uuid:0e2c1a5c-6f5a-4b7f-9df8-0c8c4b4c9a01" },
            },
            request: { method: "POST", url: "MedicationRequest" },
          },
        ],
      },
    });
    assert.equal(reply.type, "transaction-response");
    const [patient, request] = reply.entry.map((entry) => entry.response.location.split("/"));
    const pid = patient[patient.indexOf("Patient") + 1];
    const oid = request[request.indexOf("MedicationRequest") + 1];
    const stored = await client.read({ resourceType: "MedicationRequest", id: oid });
    assert.equal(stored.subject.reference, `Patient/${pid}`);
  },

  "a batch answers entry by entry": async () => {
    const reply = await client.batch({
      body: {
        resourceType: "Bundle", type: "batch",
        entry: [
          { resource: order("kit-1", "kit"), request: { method: "PUT", url: "MedicationRequest/kit-1" } },
          { request: { method: "GET", url: "Patient/nobody" } },
        ],
      },
    });
    assert.deepEqual(reply.entry.map((entry) => entry.response.status.slice(0, 3)), ["201", "404"]);
  },

  "a refusal is an OperationOutcome": async () => {
    const bad = order("kit-2", "kit");
    delete bad.status;
    await assert.rejects(
      client.update({ resourceType: "MedicationRequest", id: "kit-2", body: bad }),
      (error) => {
        assert.equal(error.response.status, 400);
        assert.equal(error.response.data.resourceType, "OperationOutcome");
        return true;
      });
  },
};

let failed = 0;
for (const [story, run] of Object.entries(stories)) {
  try {
    await run();
    console.log(`ok      fhir-kit-client: ${story}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  fhir-kit-client: ${story}\n${error.stack}`);
  }
}
console.log(`fhir-kit-client: ${Object.keys(stories).length - failed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
