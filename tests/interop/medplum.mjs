// @medplum/core's client against a running gateway over mutual TLS: the conditional interactions, patch,
// history and search as a client of a conditional-everything server uses them.
import assert from "node:assert/strict";
import { MedplumClient } from "@medplum/core";
import { fetchOverAgent, order, tell } from "./mutual_tls.mjs";

const base = new URL(process.env.BASE_URL);
const client = new MedplumClient({
  baseUrl: `${base.origin}/`, fhirUrlPath: base.pathname.slice(1), fetch: fetchOverAgent,
  cacheTime: 0, autoBatchTime: 0,
});

const identified = (value, more = {}) => ({
  resourceType: "Patient", identifier: [{ system: "urn:medplum", value }], ...more,
});

await tell("@medplum/core", {
  "a resource is created, read, changed and deleted": async () => {
    const created = await client.createResource({ resourceType: "Patient", gender: "female" });
    const changed = await client.updateResource({ ...created, birthDate: "1960" });
    assert.equal(changed.meta.versionId, "2");
    assert.equal((await client.readResource("Patient", created.id)).birthDate, "1960");
    assert.equal((await client.readVersion("Patient", created.id, "1")).birthDate, undefined);
    await client.deleteResource("Patient", created.id);
    await assert.rejects(client.readResource("Patient", created.id),
      (error) => error.outcome?.issue?.[0]?.code === "deleted");
  },

  "a conditional create makes one, and finds it the next time": async () => {
    const query = "identifier=urn:medplum|once";
    const first = await client.createResourceIfNoneExist(identified("once"), query);
    const second = await client.createResourceIfNoneExist(identified("once"), query);
    assert.equal(second.id, first.id);
    assert.equal(second.meta.versionId, "1");
  },

  "a conditional update makes one, and changes it the next time": async () => {
    const query = "identifier=urn:medplum|upsert";
    const first = await client.upsertResource(identified("upsert"), query);
    const second = await client.upsertResource(identified("upsert", { birthDate: "1961" }), query);
    assert.equal(second.id, first.id);
    assert.equal(second.meta.versionId, "2");
  },

  "a JSON Patch, and the history that it leaves": async () => {
    await client.updateResource(order("patched", "medplum"));
    const patched = await client.patchResource("MedicationRequest", "patched", [
      { op: "test", path: "/status", value: "active" },
      { op: "replace", path: "/status", value: "stopped" },
    ]);
    assert.equal(patched.status, "stopped");
    const history = await client.readHistory("MedicationRequest", "patched");
    assert.deepEqual(history.entry.map((entry) => entry.resource.status), ["stopped", "active"]);
    await assert.rejects(client.patchResource("MedicationRequest", "patched", [
      { op: "test", path: "/status", value: "active" },
    ]), (error) => error.outcome?.resourceType === "OperationOutcome");
  },

  "searches by what orders say, with their Medication": async () => {
    await client.updateResource({ resourceType: "Medication", id: "m", code: { text: "carboplatin" } });
    const { medicationCodeableConcept, ...rest } = order("with-medication", "search");
    await client.updateResource({ ...rest, medicationReference: { reference: "Medication/m" } });
    await client.updateResource(order("stopped", "search", { status: "stopped" }));
    const active = await client.searchResources("MedicationRequest", "patient=search&status=active");
    assert.deepEqual(active.map((resource) => resource.id), ["with-medication"]);
    const bundle = await client.search("MedicationRequest",
      "patient=search&_include=MedicationRequest:medication&_count=10");
    assert.deepEqual(bundle.entry.map((entry) => entry.search.mode), ["match", "match", "include"]);
    const pages = [];
    for await (const page of client.searchResourcePages("MedicationRequest", "patient=search&_count=1"))
      pages.push(page.map((resource) => resource.id));
    assert.deepEqual(pages, [["with-medication"], ["stopped"]]);
  },

  "a transaction with a conditional create and references to it": async () => {
    const bundle = {
      resourceType: "Bundle", type: "transaction",
      entry: [
        { fullUrl: "urn:uuid:0e2c1a5c-6f5a-4b7f-9df8-0c8c4b4c9a11", resource: identified("bundle"),
          request: { method: "POST", url: "Patient", ifNoneExist: "identifier=urn:medplum|bundle" } },
        { resource: { ...order(null, "x"),
          subject: { reference: "urn:uuid:0e2c1a5c-6f5a-4b7f-9df8-0c8c4b4c9a11" } },
          request: { method: "POST", url: "MedicationRequest" } },
      ],
    };
    const statuses = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const reply = await client.executeBatch(structuredClone(bundle));
      statuses.push(reply.entry.map((entry) => entry.response.status.slice(0, 3)));
    }
    assert.deepEqual(statuses, [["201", "201"], ["200", "201"]]);
    const patient = await client.searchOne("Patient", "identifier=urn:medplum|bundle");
    const orders = await client.searchResources("MedicationRequest", `patient=${patient.id}`);
    assert.equal(orders.length, 2);
  },

  "a refusal is an OperationOutcome": async () => {
    const { status, ...bad } = order("bad", "medplum");
    await assert.rejects(client.updateResource(bad),
      (error) => error.outcome?.issue?.[0]?.code === "required");
  },
});
