/**
 * What the wasm asks a vault for in a page of somebody else's, held against the keys that the page was given for that vault: what cards
 * are sealed to, and where they go, comes from the vault or not at all, whoever stands on the way to it or owns its address.
 */

/** The thumbprints (RFC 7638) of each vault's signing keys, by its origin. What a page gave last holds for all of it. */
const given = new Map<string, string[]>();

/** Takes nothing from a vault from now on that is not signed by one of these keys. */
export function trust(vault: string, thumbprints: string[]): void {
  given.set(vault, thumbprints);
}

/** What is said of an answer that is not signed so. */
export const UNTRUSTED =
  "the vault's keys are not signed by the key in vaultKey, or the device's clock is wrong by more than a day; nothing was sent";

/** The `fetch` of the wasm, which the build puts there (www/build.mjs). */
export async function fetch(address: string | URL | Request, init: RequestInit = {}): Promise<Response> {
  const url = new URL(String(address), globalThis.document?.baseURI);
  const thumbprints = given.get(url.origin);
  if (!thumbprints || init.body) return globalThis.fetch(address, init);
  const response = await globalThis.fetch(`${address}?jws`, init);
  if (!response.ok) return response;
  const body = await response.text();
  try {
    return new Response(await verified(JSON.parse(body), thumbprints, url.pathname, init.headers));
  } catch {
    // As a vault refuses, so that it is not asked again, and nothing is sealed.
    const refusal = { object: "error", location: "", code: "bad_request", message: UNTRUSTED };
    return new Response(JSON.stringify(refusal), { status: 400 });
  }
}

/** A JWS in its JSON Serialization (RFC 7515 section 7.2.1), as a vault writes it. */
interface Signed {
  payload: string;
  signatures: { protected: string; signature: string }[];
}

/** The answer that is signed, as JSON. Throws if it is not, by none of the keys, or as an answer to something else. */
async function verified({ payload, signatures }: Signed, thumbprints: string[], path: string, headers: unknown): Promise<string> {
  const key = await signer(payload, signatures, thumbprints);
  const { sub, aud, exp, answer } = JSON.parse(text(payload));
  const { Authorization } = (headers ?? {}) as Record<string, string>;
  const isMine = Authorization === (aud && `Basic ${btoa(`${aud}:`)}`);
  if (!key || sub !== path || !isMine || !(exp * 1000 > Date.now())) throw new Error();
  return JSON.stringify(answer);
}

/** Whether one of the signatures is by one of the keys. */
async function signer(payload: string, signatures: Signed["signatures"], thumbprints: string[]): Promise<boolean> {
  const { subtle } = crypto;
  for (const { protected: header, signature } of signatures) {
    const { alg, typ, jwk } = JSON.parse(text(header));
    // The members that a thumbprint is of, in its order; whatever else there is has no say.
    const key = { crv: "P-256", kty: "EC", x: jwk.x, y: jwk.y };
    const thumbprint = new Uint8Array(await subtle.digest("SHA-256", ascii(JSON.stringify(key))));
    if (alg !== "ES256" || typ !== "vnd.cardseal.keys+jws" || !thumbprints.includes(base64url(thumbprint))) continue;
    const ecdsa = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const imported = await subtle.importKey("jwk", key, ecdsa, false, ["verify"]);
    if (await subtle.verify(ecdsa, imported, bytes(signature), ascii(`${header}.${payload}`))) return true;
  }
  return false;
}

function ascii(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function bytes(base64url: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64url.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0));
}

function text(base64url: string): string {
  return new TextDecoder().decode(bytes(base64url));
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
