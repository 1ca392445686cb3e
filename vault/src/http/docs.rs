//! `/docs/errors`: where an error's `location` leads.

use axum::http::StatusCode;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};

use super::code::Code;
use super::openapi::{OPERATIONS, Operation, Routes, get, schema};

/// `/docs/errors`
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Routes<S> {
    let (name, about) = OPERATIONS;
    let operation = Operation::new(
        "showErrors",
        "Every error's code",
        "A page that says what each means and what to do.",
    )
    .shows(StatusCode::OK, "The page.", "text/html", schema::text("A page."));
    Routes::about(name, about).at("/docs/errors", [get(errors, operation)])
}

/// `GET /docs/errors`: every code, for a developer.
async fn errors() -> impl IntoResponse {
    let rows: String = Code::ALL.iter().copied().map(row).collect();
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Errors of the vault</title></head>\n\
         <body><h1>Errors of the vault</h1>\n<table>\n\
         <tr><th>Code</th><th>Status</th><th>Whose to put right</th><th>What to do</th></tr>\n\
         {rows}</table></body></html>\n"
    );
    let policy = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    ([(CONTENT_SECURITY_POLICY, policy)], Html(page))
}

fn row(code: Code) -> String {
    format!(
        "<tr id=\"{anchor}\"><td><code>{code}</code></td><td>{status}</td><td>{fault}</td><td>{advice}</td></tr>\n",
        anchor = code.anchor(),
        code = code.as_str(),
        status = code.status().as_u16(),
        fault = code.fault(),
        advice = code.advice(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_none_is_there_twice() {
        let codes: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
    }

    #[test]
    fn no_text_would_need_escaping() {
        for code in Code::ALL {
            assert!(!code.advice().contains(['<', '>', '&', '"']), "{code:?}");
        }
    }
}
