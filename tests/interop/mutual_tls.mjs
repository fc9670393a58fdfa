// What the clients share: mutual TLS for everything that goes through node's https, samples, and the
// run of a list of stories.  Started by run.py, which gives: BASE_URL, CA_FILE, CERT_FILE, KEY_FILE.
import fs from "node:fs";
import https from "node:https";

export const agent = new https.Agent({
  keepAlive: true,
  ca: fs.readFileSync(process.env.CA_FILE),
  cert: fs.readFileSync(process.env.CERT_FILE),
  key: fs.readFileSync(process.env.KEY_FILE),
});
https.globalAgent = agent;

// The fetch of the standard over that agent: node's own takes no client certificate.
export function fetchOverAgent(url, options = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(url, {
      agent, method: options.method ?? "GET", headers: options.headers,
    }, (reply) => {
      const chunks = [];
      reply.on("data", (chunk) => chunks.push(chunk));
      reply.on("end", () => {
        const hasBody = ![204, 304].includes(reply.statusCode);
        resolve(new Response(hasBody ? Buffer.concat(chunks) : null, {
          status: reply.statusCode, headers: new Headers(Object.entries(reply.headers)
            .map(([name, value]) => [name, String(value)])),
        }));
      });
    });
    request.on("error", reject);
    request.end(options.body);
  });
}

export const rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm";
export const order = (id, patient, more = {}) => ({
  resourceType: "MedicationRequest",
  ...(id ? { id } : {}),
  status: "active",
  intent: "order",
  medicationCodeableConcept: { coding: [{ system: rxnorm, code: "40048" }] },
  subject: { reference: `Patient/${patient}` },
  authoredOn: "2024-01-08",
  ...more,
});

export async function tell(client, stories) {
  let failed = 0;
  for (const [story, run] of Object.entries(stories)) {
    try {
      await run();
      console.log(`ok      ${client}: ${story}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${client}: ${story}\n${error.stack}`);
    }
  }
  console.log(`${client}: ${Object.keys(stories).length - failed} passed, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}
