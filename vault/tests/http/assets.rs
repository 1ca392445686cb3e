use axum::body::Body;
use axum::http::Method;
use axum::http::header::{ACCEPT_ENCODING, IF_NONE_MATCH};
use cardseal_vault::assets::{Assets, ReleaseError};
use serde_json::json;

use crate::support::release::{LOADED, Released};
use crate::support::{Answer, Asked, SHOP, request};

const SHORT: &str = "public, max-age=300, stale-while-revalidate=3600";
const FOREVER: &str = "public, max-age=31536000, immutable";

#[tokio::test]
async fn each_file_has_a_stable_and_a_hashed_name() {
    let released = Released::new("1.0.0");
    let asked = Asked::serving(released.assets()).await;
    for path in LOADED {
        let kind = match path.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "wasm" => "application/wasm",
            _ => "application/json",
        };
        for (address, lifetime) in [(format!("/v1/{path}"), SHORT), (released.hashed(path), FOREVER)] {
            let answer = asked.get(&address, "").await;
            assert_eq!((answer.status.as_u16(), &answer.body), (200, &released.text(path, "")), "{address}");
            for (name, value) in [
                ("content-type", kind),
                ("cache-control", lifetime),
                ("x-content-type-options", "nosniff"),
                ("vary", "Accept-Encoding"),
                ("access-control-allow-origin", "*"),
                ("cross-origin-resource-policy", "cross-origin"),
            ] {
                assert_eq!(answer.header(name), Some(value), "{address}: {name}");
            }
            assert_eq!(answer.header("content-encoding"), None);
        }
    }
}

#[tokio::test]
async fn any_page_may_load_a_file() {
    let asked = Asked::serving(Released::new("1.0.0").assets()).await;
    for origin in ["https://stranger.example", "null", SHOP] {
        let request = request(Method::GET, "/v1/cardseal.js", "").header("origin", origin);
        let answer = asked.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, Some("*")));
    }
}

#[tokio::test]
async fn browsers_get_the_smallest_coding_they_take() {
    let released = Released::new("1.0.0");
    let asked = Asked::serving(released.assets()).await;
    for (accepted, coding, suffix) in [
        (None, None, ""),
        (Some(""), None, ""),
        (Some("gzip, deflate, br, zstd"), Some("br"), "br"),
        (Some("gzip, deflate"), Some("gzip"), "gz"),
        (Some("identity"), None, ""),
        (Some("br;q=0, gzip;q=0.5"), Some("gzip"), "gz"),
        (Some("br;q=0,gzip;q=0"), None, ""),
        (Some("*"), Some("br"), "br"),
        (Some("*;q=0"), None, ""),
    ] {
        for (address, path) in
            [(released.hashed("frame.js"), "frame.js"), ("/v1/omise.js".into(), "omise.js")]
        {
            let answer = ask(&asked, &address, ACCEPT_ENCODING.as_str(), accepted).await;
            assert_eq!(answer.header("content-encoding"), coding, "{accepted:?}");
            assert_eq!(answer.body, released.text(path, suffix));
            assert_eq!(answer.header("vary"), Some("Accept-Encoding"));
        }
    }
}

#[tokio::test]
async fn a_file_that_the_browser_has_is_not_sent_again() {
    let released = Released::new("1.0.0");
    let asked = Asked::serving(released.assets()).await;
    let first = asked.get("/v1/cardseal.js", "").await;
    let tag = first.header("etag").unwrap().to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() == 18, "{tag}");

    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".into()] {
        let again = ask(&asked, "/v1/cardseal.js", IF_NONE_MATCH.as_str(), Some(&known)).await;
        assert_eq!((again.status.as_u16(), again.body.as_str()), (304, ""), "{known}");
        for name in ["etag", "cache-control", "vary", "access-control-allow-origin"] {
            assert_eq!(again.header(name), first.header(name), "{name}");
        }
        assert_eq!(again.header("content-type"), None);
    }
    for other in ["", "\"\"", "\"other\"", tag.trim_matches('"')] {
        let again = ask(&asked, "/v1/cardseal.js", IF_NONE_MATCH.as_str(), Some(other)).await;
        assert_eq!(again.status, 200, "{other}");
    }
    // Each coding is another representation.
    let coded = ask(&asked, "/v1/cardseal.js", ACCEPT_ENCODING.as_str(), Some("br")).await;
    assert_ne!(coded.header("etag"), Some(&*tag));
}

#[tokio::test]
async fn heads_are_answered_and_other_methods_are_not() {
    let released = Released::new("1.0.0");
    let asked = Asked::serving(released.assets()).await;
    let head = asked.send(request(Method::HEAD, "/v1/frame.js", "").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""));
    let length = released.text("frame.js", "").len().to_string();
    assert_eq!(head.header("content-length"), Some(&*length));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = asked.send(request(method, "/v1/frame.js", "").body(Body::empty()).unwrap()).await;
        answer.error(405, "method_not_allowed");
    }
}

#[tokio::test]
async fn nothing_else_is_served() {
    let released = Released::new("1.0.0");
    let asked = Asked::serving(released.assets()).await;
    for path in [
        "/v1",
        "/v1/",
        "/v1/cardseal.d.ts",
        "/v1/integrity.json",
        "/v1/README.md",
        "/v1/cardseal.js.br",
        "/v1/cardseal.js/",
        "/v1//cardseal.js",
        "/v1/locales",
        "/v1/locales/../cardseal.js",
        "/v1/../v1/cardseal.js",
        "/v1/%2e%2e/integrity.json",
        "/v1/..%2fintegrity.json",
        "/v1/../../../../../../etc/passwd",
        "/v1/%2fetc%2fpasswd",
        "/v1//etc/passwd",
        "/v1/cardseal%2ejs",
        "/v1/%ff",
        "/v1/cardseal.js%00",
        "/v1/cardseal-0000000000000000.js",
        &format!("/v1/{}", "x".repeat(60_000)),
    ] {
        asked.get(path, "").await.error(404, "not_found");
    }
}

#[tokio::test]
async fn older_releases_keep_their_hashed_names_only() {
    let (current, older) = (Released::new("1.1.0"), Released::new("1.0.0"));
    let asked = Asked::serving(Assets::load(current.path(), &[older.path()]).unwrap()).await;
    assert_eq!(asked.get("/v1/cardseal.js", "").await.body, current.text("cardseal.js", ""));
    for released in [&current, &older] {
        let answer = asked.get(&released.hashed("frame.js"), "").await;
        assert_eq!(answer.body, released.text("frame.js", ""));
        assert_eq!(answer.header("cache-control"), Some(FOREVER));
    }
}

/// As a script asks for what it loads: a page that names an older release's script gets that release to the last byte.
#[tokio::test]
async fn a_file_is_found_by_its_digest_in_whichever_release() {
    let (current, older) = (Released::new("1.1.0"), Released::new("1.0.0"));
    let asked = Asked::serving(Assets::load(current.path(), &[older.path()]).unwrap()).await;
    for path in ["inline.js", "cardseal_bg.wasm", "locales/th.json"] {
        for released in [&current, &older] {
            let answer = asked.get(&format!("/v1/{path}?integrity={}", released.integrity(path)), "").await;
            assert_eq!(answer.body, released.text(path, ""));
            assert_eq!(answer.header("cache-control"), Some(FOREVER));
        }
        let nobodys = Released::new("0.9.0").integrity(path);
        asked.get(&format!("/v1/{path}?integrity={nobodys}"), "").await.error(404, "not_found");
        let anothers = current.integrity("frame.js");
        asked.get(&format!("/v1/{path}?integrity={anothers}"), "").await.error(404, "not_found");
        // What is no digest is nothing.
        assert_eq!(asked.get(&format!("/v1/{path}?integrity=now"), "").await.body, current.text(path, ""));
    }
}

#[tokio::test]
async fn a_vault_without_assets_says_which_flag_is_missing() {
    let asked = Asked::new().await;
    let key = asked.merchant().await.public_key;
    for path in ["/v1/cardseal.js", "/frame", &format!("/frame?key={key}&origin={SHOP}")] {
        assert!(asked.get(path, "").await.error(404, "not_found").contains("--assets"));
    }
}

#[test]
fn a_file_that_was_changed_is_refused_by_name() {
    for path in ["frame.js", "frame.js.br", "cardseal_bg.wasm.gz", "locales/th.json", "cardseal.d.ts"] {
        let released = Released::new("1.0.0");
        let text = std::fs::read_to_string(released.path().join(path)).unwrap();
        // As long as before.
        released.write(path, &format!("X{}", &text[1..]));
        let error = Assets::load::<&str>(released.path(), &[]).unwrap_err();
        assert!(matches!(&error, ReleaseError::Changed(changed) if changed.ends_with(path)), "{error}");
        assert!(error.to_string().contains(path), "{error}");

        // An older release is held to the same.
        let error = Assets::load(Released::new("1.1.0").path(), &[released.path()]).unwrap_err();
        assert!(matches!(error, ReleaseError::Changed(_)), "{error}");
    }
}

#[test]
fn a_folder_that_is_no_release_is_refused() {
    let load = |released: &Released| Assets::load::<&str>(released.path(), &[]).unwrap_err();

    let released = Released::new("1.0.0");
    std::fs::remove_file(released.path().join("frame.js.gz")).unwrap();
    assert!(matches!(load(&released), ReleaseError::Read { path, .. } if path.ends_with("frame.js.gz")));

    let released = Released::new("1.0.0");
    std::fs::remove_file(released.path().join("integrity.json")).unwrap();
    assert!(matches!(load(&released), ReleaseError::Read { path, .. } if path.ends_with("integrity.json")));

    for text in ["", "[]", "{}", r#"{"version":"1","files":[{"path":"a.js","bytes":1,"integrity":"md5-x"}]}"#]
    {
        released.write("integrity.json", text);
        assert!(matches!(load(&released), ReleaseError::Inventory { .. }), "{text}");
    }

    let released = Released::new("1.0.0");
    released.edit(|inventory| inventory["files"][0]["path"] = "../cardseal.js".into());
    assert!(matches!(load(&released), ReleaseError::Inventory { .. }));

    let released = Released::new("1.0.0");
    released.edit(|inventory| inventory["files"][0]["bytes"] = 1.into());
    assert!(matches!(load(&released), ReleaseError::Changed(path) if path.ends_with("cardseal.js")));

    let released = Released::new("1.0.0");
    released.edit(|inventory| {
        let files = inventory["files"].as_array_mut().unwrap();
        files.retain(|file| file["path"] != "locales/ja.json");
    });
    assert!(load(&released).to_string().contains("has no locales/ja.json"));

    // Its bytes are right, but nobody knows what a browser would do with it.
    let released = Released::new("1.0.0");
    released.edit(|inventory| {
        let files = inventory["files"].as_array_mut().unwrap();
        let encodings = files[0]["encodings"].clone();
        let types = files.iter_mut().find(|file| file["path"] == "cardseal.d.ts").unwrap();
        types["encodings"] = encodings;
    });
    released.write("cardseal.d.ts.br", &released.text("cardseal.js", "br"));
    released.write("cardseal.d.ts.gz", &released.text("cardseal.js", "gz"));
    assert!(matches!(load(&released), ReleaseError::UnknownKind(path) if path.ends_with("cardseal.d.ts")));

    // What a later build adds to the inventory does not matter.
    let released = Released::new("1.0.0");
    released.edit(|inventory| inventory["files"][0]["more"] = json!(true));
    assert!(Assets::load::<&str>(released.path(), &[]).is_ok());
}

async fn ask(asked: &Asked, path: &str, name: &str, value: Option<&str>) -> Answer {
    let mut request = request(Method::GET, path, "");
    if let Some(value) = value {
        request = request.header(name, value);
    }
    asked.send(request.body(Body::empty()).unwrap()).await
}
