use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use cardseal::card::{Card, Expiry, Holder, Number, SecurityCode, YearMonth};
use cardseal::client::Pkey;
use cardseal::seal::{Envelope, Jti, PublicKey, seal};

/// Requests for tokens, each with a card of its own that a browser would have sealed just now. A vault takes them for five
/// minutes.
pub(super) fn sealed(count: usize, key: &PublicKey, merchant: &str) -> Result<Vec<Bytes>> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let part = || (0..count.div_ceil(threads)).map(|_| body(key, merchant)).collect::<Result<Vec<_>>>();
        let parts: Vec<_> = (0..threads).map(|_| scope.spawn(part)).collect();
        let mut bodies = Vec::with_capacity(count);
        for part in parts {
            bodies.extend(part.join().map_err(|_| anyhow!("sealing panicked"))??);
        }
        bodies.truncate(count);
        Ok(bodies)
    })
}

fn body(key: &PublicKey, merchant: &str) -> Result<Bytes> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let number = Number::parse("4242424242424242").valid().context("a test card")?;
    let today = YearMonth::new(2026, 1).context("a month")?;
    let card = Card {
        security_code: SecurityCode::parse("123", Some(number.brand())).valid(),
        expiry: Expiry::from_parts("12", "2035", today).valid().context("an expiry")?,
        holder: Holder::parse("Somchai Prasert").valid(),
        number,
    };
    let merchant = Pkey::parse(merchant).map_err(|_| anyhow!("no public key"))?;
    let id = Jti::random().map_err(|error| anyhow!("no random bytes: {error}"))?;
    let envelope = Envelope { card, merchant, issued_at: now, id };
    Ok(format!(r#"{{"card":{{"sealed":"{}"}}}}"#, seal(key, &envelope)?).into())
}
