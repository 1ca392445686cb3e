//! Sealing as a browser does, and in ways in which it must not be done; and opening what comes back.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::{
    OAEP_SHA256_MGF1SHA256, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    PublicEncryptingKey,
};
use base64ct::{Base64UrlUnpadded, Encoding};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

/// To the key of a certificate.
pub(crate) fn to_rsa(certificate: &str, header: &Value, plaintext: &str) -> String {
    let certificate = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
    let certificate = webpki::EndEntityCert::try_from(&certificate).unwrap();
    let key = PublicEncryptingKey::from_der(certificate.subject_public_key_info().as_ref()).unwrap();
    let key = OaepPublicEncryptingKey::new(key).unwrap();
    let mut encrypted = vec![0; key.ciphertext_size()];
    let cek = [7; 32];
    let encrypted = key.encrypt(&OAEP_SHA256_MGF1SHA256, &cek, &mut encrypted, None).unwrap();
    compact(header, encrypted, &cek, plaintext)
}

/// To an EC key, a JWK, with an ephemeral key; `change` is done to the header before it is used.
pub(crate) fn to_ec(jwk: &Value, change: impl FnOnce(&mut Value), plaintext: &str) -> String {
    let ephemeral = PrivateKey::generate(&ECDH_P256).unwrap();
    let public = ephemeral.compute_public_key().unwrap();
    let [x, y] = [1..33, 33..65].map(|part| Base64UrlUnpadded::encode_string(&public.as_ref()[part]));
    let epk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y });
    let mut header = json!({ "alg": "ECDH-ES", "enc": "A256GCM", "kid": jwk["kid"], "epk": epk });
    change(&mut header);
    let coordinate = |name: &str| Base64UrlUnpadded::decode_vec(jwk[name].as_str().unwrap()).unwrap();
    let peer = [vec![4], coordinate("x"), coordinate("y")].concat();
    let cek = agree(&ephemeral, UnparsedPublicKey::new(&ECDH_P256, peer), (), |secret| {
        let info = [&[0, 0, 0, 7][..], b"A256GCM", &[0; 8], &256_u32.to_be_bytes()].concat();
        Ok(digest(&SHA256, &[&1_u32.to_be_bytes()[..], secret, &info].concat()))
    });
    compact(&header, &[], cek.unwrap().as_ref(), plaintext)
}

/// With a private key, PKCS#8.
pub(crate) fn open_rsa(pkcs8: &[u8], jwe: &str) -> Vec<u8> {
    let parts: Vec<_> = jwe.split('.').collect();
    let decode = |part: &str| Base64UrlUnpadded::decode_vec(part).unwrap();
    let key = OaepPrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(pkcs8).unwrap()).unwrap();
    let mut cek = vec![0; key.min_output_size()];
    let cek = key.decrypt(&OAEP_SHA256_MGF1SHA256, &decode(parts[1]), &mut cek, None).unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, cek).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(&decode(parts[2])).unwrap();
    let mut message = [decode(parts[3]), decode(parts[4])].concat();
    key.open_in_place(nonce, Aad::from(parts[0].as_bytes()), &mut message).unwrap().to_vec()
}

fn compact(header: &Value, encrypted: &[u8], cek: &[u8], plaintext: &str) -> String {
    let encode = Base64UrlUnpadded::encode_string;
    let protected = encode(header.to_string().as_bytes());
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, cek).unwrap());
    let mut message = plaintext.as_bytes().to_vec();
    let nonce = Nonce::assume_unique_for_key([9; 12]);
    let tag = key.seal_in_place_separate_tag(nonce, Aad::from(protected.as_bytes()), &mut message).unwrap();
    [protected, encode(encrypted), encode(&[9; 12]), encode(&message), encode(tag.as_ref())].join(".")
}
