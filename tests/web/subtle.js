// Sealing and opening with the browser's own WebCrypto (RFC 7516, RFC 7518 sections 4.3 and 5.3).

const OAEP = { name: "RSA-OAEP", hash: "SHA-256" };
const GCM = { name: "AES-GCM", length: 256 };

const encode = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
const ascii = (text) => new TextEncoder().encode(text);

/** A vault's key pair. */
export class KeyPair {
  static async generate(bits) {
    const pair = new KeyPair();
    const algorithm = { ...OAEP, modulusLength: bits, publicExponent: new Uint8Array([1, 0, 1]) };
    pair.keys = await crypto.subtle.generateKey(algorithm, false, ["wrapKey", "unwrapKey"]);
    pair.jwk = JSON.stringify(await crypto.subtle.exportKey("jwk", pair.keys.publicKey));
    return pair;
  }

  /** Seals a text: the JWE in compact form. */
  async seal(header, text) {
    const key = await crypto.subtle.generateKey(GCM, true, ["encrypt"]);
    const wrapped = await crypto.subtle.wrapKey("raw", key, this.keys.publicKey, OAEP);
    const iv = crypto.getRandomValues(new Uint8Array(12));
    const aad = encode(ascii(header));
    const gcm = { ...GCM, iv, additionalData: ascii(aad) };
    const sealed = new Uint8Array(await crypto.subtle.encrypt(gcm, key, new TextEncoder().encode(text)));
    return [aad, encode(wrapped), encode(iv), encode(sealed.slice(0, -16)), encode(sealed.slice(-16))].join(".");
  }

  /** Opens a JWE in compact form. */
  async open(compact) {
    const [aad, ...parts] = compact.split(".");
    return this.openParts(ascii(aad), ...parts.map(decode));
  }

  /** Opens a JWE by its parts. */
  async openParts(aad, wrapped, iv, ciphertext, tag) {
    const key = await crypto.subtle.unwrapKey("raw", wrapped, this.keys.privateKey, OAEP, GCM, false, ["decrypt"]);
    const gcm = { ...GCM, iv, additionalData: aad, tagLength: 128 };
    const content = await crypto.subtle.decrypt(gcm, key, new Uint8Array([...ciphertext, ...tag]));
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  }
}
