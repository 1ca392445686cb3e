// The seal against jose, in both directions: what cardseal seals jose opens, and what jose seals the vault opens.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import * as jose from "jose";
import { loadCardseal } from "../../pkg/cardseal.mjs";

const top = new URL("../../", import.meta.url).pathname;
const target = process.env.CARGO_TARGET_DIR ?? join(top, "target");
const wasm = readFileSync(join(top, "pkg/cardseal_bg.wasm"));
const CARD = { number: "4242 4242 4242 4242", expiry: "12/30", security_code: "123", name: "สมชาย \"ประเสริฐ\" 太郎" };

for (const modulusLength of [2048, 3072, 4096]) {
  test(`jose opens what cardseal seals to an RSA key of ${modulusLength} bits`, async (t) => {
    const { publicKey, privateKey } = await jose.generateKeyPair("RSA-OAEP-256", { modulusLength, extractable: true });
    const jwk = await jose.exportJWK(publicKey);
    const kid = await jose.calculateJwkThumbprint(jwk);
    const vault = await jwksServer(t, { keys: [{ ...jwk, kid, alg: "RSA-OAEP-256", use: "enc" }] });

    const cardseal = await loadCardseal({ publicKey: "pkey_test_jose", vault, mode: "inline", wasm });
    const before = Math.floor(Date.now() / 1000);
    const [first, second] = [await cardseal.seal(CARD), await cardseal.seal(CARD)];
    const { plaintext, protectedHeader } = await jose.compactDecrypt(first, privateKey);

    assert.deepEqual(protectedHeader, { alg: "RSA-OAEP-256", enc: "A256GCM", kid });
    const { iat, jti, ...rest } = JSON.parse(new TextDecoder().decode(plaintext));
    assert.deepEqual(rest, {
      number: "4242424242424242",
      expiration_month: 12,
      expiration_year: 2030,
      security_code: "123",
      name: CARD.name,
      merchant: "pkey_test_jose",
    });
    assert.ok(iat >= before && iat <= Date.now() / 1000, `iat is now, in seconds: ${iat}`);
    assert.match(jti, /^[\w-]{22}$/);
    const again = JSON.parse(new TextDecoder().decode((await jose.compactDecrypt(second, privateKey)).plaintext));
    assert.notEqual(again.jti, jti, "each seal has an id of its own");
  });
}

test("jose opens what cardseal seals to the keys of Thales's two services, and finds number and expiry alone", async (t) => {
  for (const [profile, alg, name] of [["thales-pci", "RSA-OAEP-256", "fpan"], ["thales-d1", "ECDH-ES", "pan"]]) {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg, { crv: "P-256", extractable: true });
    const jwk = await jose.exportJWK(publicKey);
    const kid = await jose.calculateJwkThumbprint(jwk);
    const vault = await jwksServer(t, { object: "profile", name: profile, keys: [{ ...jwk, kid, alg, use: "enc" }] });
    const cardseal = await loadCardseal({ publicKey: "pkey_test_jose", vault, mode: "inline", profile, wasm });
    const { security_code, ...card } = CARD;
    const [first, second] = [await cardseal.seal(card), await cardseal.seal(card)];
    const { plaintext, protectedHeader } = await jose.compactDecrypt(first, privateKey);
    const { epk, ...header } = protectedHeader;
    assert.deepEqual(header, { alg, enc: "A256GCM", kid });
    assert.deepEqual(epk && Object.keys(epk), alg === "ECDH-ES" ? ["kty", "crv", "x", "y"] : undefined);
    assert.deepEqual(JSON.parse(new TextDecoder().decode(plaintext)), { [name]: "4242424242424242", exp: "1230" });
    assert.notEqual(jose.decodeProtectedHeader(second).epk?.x ?? "", epk?.x, "each seal has a key pair of its own");
    await assert.rejects(cardseal.seal({ ...card, security_code }), { code: "invalid_options" });
  }
});

test("cardseal seals to no key that jose calls RSA-OAEP, RSA1_5 or too short", async (t) => {
  const { publicKey } = await jose.generateKeyPair("RSA-OAEP-256", { extractable: true });
  const jwk = { ...(await jose.exportJWK(publicKey)), kid: "1", use: "enc" };
  for (const alg of ["RSA-OAEP", "RSA1_5", undefined]) {
    const vault = await jwksServer(t, { keys: [{ ...jwk, alg }] });
    const cardseal = await loadCardseal({ publicKey: "pkey_test_jose", vault, mode: "inline", wasm });
    await assert.rejects(cardseal.seal(CARD), { name: "CardsealError", code: "unusable_key", retryable: false });
  }
});

describe("the vault", () => {
  const folder = mkdtempSync(join(tmpdir(), "cardseal-jose-"));
  const program = join(target, "debug/cardseal-vault");
  /** @type {import("node:child_process").ChildProcess} */
  let server;
  let address;
  let keys;

  before(async () => {
    const add = ["merchant", "add", "--json", "--name", "jose", "--origin", "https://shop.example", "--data-dir", folder];
    keys = JSON.parse(execFileSync(program, add, { encoding: "utf8" }));
    server = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data-dir", folder], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, RUST_LOG: "off" },
    });
    for await (const line of createInterface({ input: server.stdout })) {
      address = line.match(/listening on (\S+)/)?.[1];
      if (address) break;
    }
    assert.ok(address, "the vault says where it listens");
  });

  after(async () => {
    server.kill();
    await once(server, "exit");
    rmSync(folder, { recursive: true });
  });

  /** Seals with jose, as a payment engineer would. */
  async function seal(changes = {}, header = {}) {
    const set = await (await fetch(`${address}/.well-known/jwks.json`)).json();
    const jwk = set.keys.find(({ livemode }) => !livemode);
    assert.equal(await jose.calculateJwkThumbprint(jwk), jwk.kid, "kid is the RFC 7638 thumbprint");
    const card = {
      number: "4242424242424242",
      expiration_month: 12,
      expiration_year: 2030,
      security_code: "123",
      name: "Somchai Prasert",
      merchant: keys.public_key,
      iat: Math.floor(Date.now() / 1000),
      jti: crypto.randomUUID(),
      ...changes,
    };
    return new jose.CompactEncrypt(new TextEncoder().encode(JSON.stringify(card)))
      .setProtectedHeader({ alg: "RSA-OAEP-256", enc: "A256GCM", kid: jwk.kid, ...header })
      .encrypt(await jose.importJWK(jwk, header.alg ?? "RSA-OAEP-256"));
  }

  async function post(sealed) {
    const response = await fetch(`${address}/tokens`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Basic ${btoa(`${keys.public_key}:`)}` },
      body: JSON.stringify({ card: { sealed } }),
    });
    return { status: response.status, ...(await response.json()) };
  }

  test("opens what jose seals", async () => {
    const token = await post(await seal());
    assert.equal(token.status, 200);
    assert.match(token.id, /^tokn_test_[0-9a-z]+$/);
    assert.equal(token.card.last_digits, "4242");
    assert.equal(token.card.brand, "Visa");
  });

  test("refuses every other algorithm and header member that jose can write", async () => {
    for (const header of [{ alg: "RSA-OAEP" }, { alg: "RSA-OAEP-512" }, { enc: "A128GCM" }, { enc: "A256CBC-HS512" }, { typ: "JWE" }, { cty: "json" }]) {
      const refused = await post(await seal({}, header));
      assert.equal(refused.status, 400, JSON.stringify(header));
      assert.equal(refused.code, "invalid_seal", JSON.stringify(header));
    }
  });
});

/** A server that has a key set and nothing else. */
async function jwksServer(t, set) {
  const server = createServer((_, response) => response.setHeader("content-type", "application/json").end(JSON.stringify(set)));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}
