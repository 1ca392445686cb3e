//! Refusals of what is no request.

use super::body::BadRequest;
use super::error::ApiError;
use crate::id::random_letters;

/// The refusal that belongs in place of `head`, if that is one which hyper wrote: it answers what it cannot read with a
/// status and no body, before there is a request to be routed. The router's own answers all have an id.
pub(crate) fn refusal(head: &[u8]) -> Option<String> {
    const NO_BODY: &str = "\r\ncontent-length: 0\r\n";
    let status = head.strip_prefix(b"HTTP/1.1 4")?;
    let head = std::str::from_utf8(head).ok()?;
    if !head.contains(NO_BODY) || head.contains("\r\nx-request-id: ") {
        return None;
    }
    let error = if status.starts_with(b"31") { ApiError::HeadTooLarge } else { BadRequest::NoRequest.into() };
    let id = random_letters(26);
    let body = error.to_json();
    tracing::info!(request_id = *id, code = error.code().as_str(), "refused what is no request");
    let headers = format!(
        "\r\ncontent-type: application/json\r\ncache-control: no-store\r\nx-content-type-options: nosniff\r\n\
         x-request-id: {}\r\ncontent-length: {}\r\n",
        *id,
        body.len()
    );
    Some(head.replacen(NO_BODY, &headers, 1) + &body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_refusals_without_words_are_given_some() {
        let bare =
            "HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let (head, body) = refusal(bare.as_bytes())
            .unwrap()
            .split_once("\r\n\r\n")
            .map(|(head, body)| (head.to_owned(), body.to_owned()))
            .unwrap();
        assert!(
            head.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\n"),
            "{head}"
        );
        assert!(head.ends_with(&format!("\r\ncontent-length: {}", body.len())), "{head}");
        assert!(body.contains("head_too_large"), "{body}");
        assert!(refusal(bare.replace("431", "400").as_bytes()).unwrap().contains("bad_request"));
        for other in [
            bare.replace("431", "200"),
            bare.replace("431", "503"),
            bare.replace("length: 0", "length: 1"),
            bare.replace("connection", "x-request-id"),
            String::new(),
            "HTTP/1.1 4".into(),
        ] {
            assert_eq!(refusal(other.as_bytes()), None, "{other}");
        }
    }
}
