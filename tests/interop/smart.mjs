// Checks our client assertions with an implementation of JOSE that nobody here wrote: signature, algorithm, key id
// and every claim, against the JWK Set as it is served.
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify, calculateJwkThumbprint } from "jose";

const jwks = JSON.parse(process.env.JWKS);
const { assertions } = JSON.parse(process.env.ASSERTIONS);
const client = process.env.CLIENT_ID;
let failed = 0;

async function check(sentence, test) {
    try {
        await test();
        console.log(`ok      smart: ${sentence}`);
    } catch (error) {
        failed++;
        console.log(`FAILED  smart: ${sentence}\n${error.stack}`);
    }
}

function equal(got, wanted) {
    if (got !== wanted)
        throw new Error(`got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);
}

const algorithm = process.env.ALGORITHM;
await check(`jose verifies an assertion of ${algorithm} against the JWK Set that is served`, async () => {
    if (assertions.length === 0)
        throw new Error("there is no assertion");
    for (const { assertion, audience } of assertions) {
        const { payload, protectedHeader } = await jwtVerify(assertion, createLocalJWKSet(jwks), {
            algorithms: [algorithm], issuer: client, subject: client, audience, typ: "JWT",
            maxTokenAge: "5m", requiredClaims: ["iat", "nbf", "exp", "jti"],
            currentDate: new Date(JSON.parse(
                Buffer.from(assertion.split(".")[1], "base64url")).iat * 1000 + 1000) });
        equal(protectedHeader.alg, algorithm);
        equal(payload.exp - payload.iat <= 300, true);
    }
});
await check("a key is named by its thumbprint", async () => {
    for (const key of jwks.keys)
        equal(key.kid, await calculateJwkThumbprint(key));
    equal(jwks.keys.some((k) => k.kid === decodeProtectedHeader(assertions[0].assertion).kid), true);
});
await check("a changed assertion is refused", async () => {
    const [head, body, signature] = assertions[0].assertion.split(".");
    const other = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, "base64url")),
                                               sub: "somebody" })).toString("base64url");
    let refused = false;
    await jwtVerify(`${head}.${other}.${signature}`, createLocalJWKSet(jwks)).catch(() => { refused = true; });
    equal(refused, true);
});
process.exit(failed ? 1 : 0);
