use std::sync::Arc;

use axum::body::Body;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use cardseal_vault::audit::{Action, Actor};
use cardseal_vault::event::EventKey;
use cardseal_vault::id::{CardId, CustomerId, EventId};
use cardseal_vault::keys::ACTIVATION_DELAY;
use cardseal_vault::list::Window;
use cardseal_vault::merchant::{ClearCards, Mode};
use cardseal_vault::store::{CardRenewal, Cursor, NewEvent, Purpose, Reencrypted, Table};
use cardseal_vault::time::Timestamp;
use serde_json::{Value, json};

use crate::support::operator;
use crate::support::{Account, Answer, Asked, NOON, SHOP, VISA, clear_card, request};

const MASTERCARD: &str = "5555555555554444";
const DECLINED: &str = "4111111111140011";
const JSON: &str = "application/json";

#[tokio::test]
async fn a_customer_is_shown_as_omise_shows_it() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let mut card = asked.get(&format!("/tokens/{token}"), &account.secret_key).await.json()["card"].take();
    let body = json!({
        "email": "john.doe@example.com", "description": "John Doe (id: 30)",
        "metadata": { "account": 30, "tags": ["a"] }, "card": token,
    });
    let answer = asked.post("/customers", &account.secret_key, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let customer = answer.json();
    let id = customer["id"].as_str().unwrap();
    assert!(id.starts_with("cust_test_"));
    let card_id = card["id"].as_str().unwrap().to_owned();
    card["location"] = json!(format!("/customers/{id}/cards/{card_id}"));
    let cards = json!({
        "object": "list", "data": [card], "limit": 20, "offset": 0, "total": 1,
        "location": format!("/customers/{id}/cards"), "order": "chronological",
        "from": "1970-01-01T00:00:00Z", "to": "2026-11-21T12:00:00Z",
    });
    let expected = json!({
        "object": "customer", "id": id, "livemode": false, "location": format!("/customers/{id}"), "deleted": false,
        "metadata": { "account": 30, "tags": ["a"] }, "cards": cards, "default_card": card_id,
        "description": "John Doe (id: 30)", "email": "john.doe@example.com", "created_at": "2026-11-21T12:00:00Z",
    });
    assert_eq!(customer, expected);
    assert_eq!(get(&asked, &account, &format!("/customers/{id}")).await.json(), expected);
    assert_eq!(get(&asked, &account, &format!("/customers/{id}/cards")).await.json(), cards);
    assert_eq!(get(&asked, &account, card["location"].as_str().unwrap()).await.json(), card);
    let list = get(&asked, &account, "/customers").await.json();
    assert_eq!((&list["data"], &list["total"]), (&json!([expected]), &json!(1)));
    assert_eq!(list["location"], "/customers");
}

#[tokio::test]
async fn a_token_is_used_for_one_customer_and_its_number_moves() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let customer = customer_with(&asked, &account, &token).await;
    assert_eq!(asked.count("security_codes").await, 0);
    assert_eq!(asked.count_where("tokens", "pan IS NOT NULL").await, 0);
    assert_eq!(asked.count_where("cards", "pan IS NOT NULL").await, 1);
    let shown = asked.get(&format!("/tokens/{token}"), &account.public_key).await.json();
    assert_eq!((&shown["used"], &shown["charge_status"]), (&json!(true), &json!("unknown")));

    let body = json!({ "card": token });
    for answer in [
        asked.charge(&account, &token).await,
        asked.post("/customers", &account.secret_key, &body).await,
        patch(&asked, &account, &format!("/customers/{customer}"), &body).await,
    ] {
        assert!(answer.error(400, "used_token").contains(&customer));
    }
    let charged = asked.token(&account, VISA).await;
    asked.charge(&account, &charged).await;
    let answer = asked.post("/customers", &account.secret_key, &json!({ "card": charged })).await;
    assert!(answer.error(400, "used_token").contains("chrg_test_"));
    assert_eq!((asked.count("customers").await, asked.count("cards").await), (1, 1));
}

#[tokio::test]
async fn wrong_customers_are_refused_and_use_nothing() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    for (name, value, status, code) in [
        ("email", json!("4242 4242 4242 4242"), 400, "bad_request"),
        ("email", json!(1), 400, "bad_request"),
        ("description", json!("card 4242424242424242"), 400, "bad_request"),
        ("description", json!("x".repeat(256)), 400, "bad_request"),
        ("metadata", json!({ "card": "4242424242424242" }), 400, "bad_request"),
        ("metadata", json!({ "4242424242424242": 1 }), 400, "bad_request"),
        ("metadata", json!("text"), 400, "bad_request"),
        ("card", json!({ "number": "4242424242424242" }), 400, "bad_request"),
        ("card", json!("tokn_test_nowhere"), 404, "not_found"),
        ("card", json!("4242424242424242"), 404, "not_found"),
        ("default_card", json!("card_test_0"), 400, "bad_request"),
        ("emial", json!("a@example.com"), 400, "bad_request"),
    ] {
        let mut body = json!({ "email": "a@example.com", "card": token });
        body[name] = value;
        let message = asked.post("/customers", &account.secret_key, &body).await.error(status, code);
        assert!(!message.contains("4242"), "{message}");
    }
    assert_eq!((asked.count("customers").await, asked.count("cards").await), (0, 0));
    asked.post("/customers", &account.public_key, &json!({})).await.error(401, "authentication_failure");
    // Without a card it is a customer all the same.
    let empty = asked.post("/customers", &account.secret_key, &json!({})).await.json();
    assert_eq!((&empty["default_card"], &empty["cards"]["total"]), (&json!(null), &json!(0)));
    let body = json!({ "amount": 100, "currency": "THB", "customer": empty["id"] });
    asked.post("/charges", &account.secret_key, &body).await.error(400, "missing_card");
    assert_eq!(asked.charge(&account, &token).await.status, 200);
}

#[tokio::test]
async fn a_customer_is_changed_where_something_is_named() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let body = json!({ "email": "a@example.com", "description": "A", "metadata": { "a": 1, "b": 2 } });
    let customer = asked.post("/customers", &account.secret_key, &body).await.json();
    let path = customer["location"].as_str().unwrap();
    for (change, email, description, metadata) in [
        (json!({}), json!("a@example.com"), json!("A"), json!({ "a": 1, "b": 2 })),
        (json!({ "email": "b@example.com" }), json!("b@example.com"), json!("A"), json!({ "a": 1, "b": 2 })),
        (json!({ "metadata": { "c": 3 } }), json!("b@example.com"), json!("A"), json!({ "c": 3 })),
        (json!({ "description": null }), json!("b@example.com"), json!(null), json!({ "c": 3 })),
        (json!({ "email": "", "metadata": null }), json!(null), json!(null), json!({})),
    ] {
        let changed = patch(&asked, &account, path, &change).await.json();
        let expected = (&email, &description, &metadata);
        assert_eq!((&changed["email"], &changed["description"], &changed["metadata"]), expected, "{change}");
        assert_eq!(get(&asked, &account, path).await.json(), changed);
    }
    let token = asked.token(&account, VISA).await;
    let before = get(&asked, &account, path).await.json();
    for (change, status, code) in [
        (json!({ "email": "4242424242424242" }), 400, "bad_request"),
        (json!({ "name": "A" }), 400, "bad_request"),
        (json!({ "description": "B", "default_card": "card_test_nowhere" }), 404, "not_found"),
        (json!({ "description": "B", "default_card": "nothing" }), 404, "not_found"),
        (json!({ "description": "B", "card": "tokn_test_nowhere" }), 404, "not_found"),
        (json!({ "description": "B", "card": token, "default_card": "card_test_nowhere" }), 404, "not_found"),
    ] {
        patch(&asked, &account, path, &change).await.error(status, code);
        assert_eq!(get(&asked, &account, path).await.json(), before, "{change}");
    }
    assert_eq!(asked.charge(&account, &token).await.status, 200, "the token was not used");
    patch(&asked, &account, "/customers/cust_test_nowhere", &json!({})).await.error(404, "not_found");
}

#[tokio::test]
async fn the_same_card_is_kept_once_and_brought_up_to_date() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let path = format!("/customers/{customer}");
    let first = get(&asked, &account, &path).await.json()["cards"]["data"][0].clone();

    // Under another fingerprint key too.
    for (rotated, year) in [(false, 2031), (true, 2032)] {
        if rotated {
            let active_from = Timestamp::from_unix_seconds(NOON).plus(ACTIVATION_DELAY);
            asked.vault.rotate(Purpose::Fingerprint, operator(), active_from).await.unwrap();
            asked.set_time(active_from.unix_seconds());
        }
        let mut body = clear_card(VISA);
        body["card"]["expiration_year"] = json!(year);
        body["card"]["name"] = json!("Somchai P.");
        let token = asked.post("/tokens", &account.public_key, &body).await.json()["id"].take();
        let changed = patch(&asked, &account, &path, &json!({ "card": token })).await.json();
        let mut expected = first.clone();
        expected["expiration_year"] = json!(year);
        expected["name"] = json!("Somchai P.");
        assert_eq!(changed["cards"]["data"], json!([expected]));
        assert_eq!((&changed["cards"]["total"], &changed["default_card"]), (&json!(1), &first["id"]));
        let token =
            asked.get(&format!("/tokens/{}", token.as_str().unwrap()), &account.public_key).await.json();
        assert_eq!(token["used"], true);
    }
    assert_eq!((asked.count("cards").await, asked.count("security_codes").await), (1, 0));
    assert_eq!(asked.count_where("tokens", "pan IS NOT NULL").await, 0);
    assert_eq!(charge(&asked, &account, &json!({ "customer": customer })).await["status"], "successful");
    // Another customer's is another card.
    let other = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    assert_eq!(get(&asked, &account, &format!("/customers/{other}")).await.json()["cards"]["total"], 1);
    assert_eq!(asked.count("cards").await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_add_the_same_card_at_once_one_adds_it() {
    let asked = Arc::new(Asked::new().await);
    let account = asked.merchant().await;
    let customer = asked.post("/customers", &account.secret_key, &json!({})).await.json();
    let path = customer["location"].as_str().unwrap().to_owned();
    let mut tasks = Vec::new();
    for _ in 0..12 {
        let body = json!({ "card": asked.token(&account, VISA).await });
        let (asked, account, path) = (Arc::clone(&asked), account.clone(), path.clone());
        tasks.push(tokio::spawn(async move { patch(&asked, &account, &path, &body).await.json() }));
    }
    let mut cards = Vec::new();
    for task in tasks {
        let customer = task.await.unwrap();
        assert_eq!(customer["cards"]["total"], 1, "{customer}");
        cards.push(customer["default_card"].clone());
    }
    cards.dedup();
    assert_eq!((cards.len(), asked.count("cards").await), (1, 1));
    assert_eq!(asked.count_where("tokens", "used_by IS NULL OR pan IS NOT NULL").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_use_a_token_at_once_one_gets_it() {
    let asked = Arc::new(Asked::new().await);
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let tasks: Vec<_> = (0..12)
        .map(|number| {
            let (asked, account, token) = (Arc::clone(&asked), account.clone(), token.clone());
            tokio::spawn(async move {
                match number % 2 {
                    0 => asked.charge(&account, &token).await,
                    _ => asked.post("/customers", &account.secret_key, &json!({ "card": token })).await,
                }
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        let answer = task.await.unwrap();
        if answer.status == 200 {
            done += 1;
        } else {
            answer.error(400, "used_token");
        }
    }
    assert_eq!((done, asked.count("charges").await + asked.count("customers").await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_at_the_same_time_are_all_made() {
    let asked = Arc::new(Asked::new().await);
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let path = format!("/customers/{customer}");
    let card = get(&asked, &account, &path).await.json()["cards"]["data"][0]["location"].take();
    let card = card.as_str().unwrap().to_owned();
    let changes = [
        (&path, json!({ "email": "a@example.com" })),
        (&path, json!({ "description": "A" })),
        (&path, json!({ "metadata": { "a": 1 } })),
        (&card, json!({ "city": "Bangkok" })),
        (&card, json!({ "postal_code": "10320" })),
        (&card, json!({ "expiration_year": 2035 })),
    ];
    let tasks: Vec<_> = changes
        .into_iter()
        .map(|(path, change)| {
            let (asked, account, path) = (Arc::clone(&asked), account.clone(), path.clone());
            tokio::spawn(async move { patch(&asked, &account, &path, &change).await.status })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    let customer = get(&asked, &account, &path).await.json();
    assert_eq!(
        (&customer["email"], &customer["description"], &customer["metadata"]),
        (&json!("a@example.com"), &json!("A"), &json!({ "a": 1 }))
    );
    let card = &customer["cards"]["data"][0];
    assert_eq!(
        (&card["city"], &card["postal_code"], &card["expiration_year"]),
        (&json!("Bangkok"), &json!("10320"), &json!(2035))
    );
}

#[tokio::test]
async fn a_row_that_changed_since_it_was_read_is_not_overwritten() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let path = format!("/customers/{customer}");
    let card = get(&asked, &account, &path).await.json()["default_card"].as_str().unwrap().to_owned();
    let (customer, card) = (CustomerId::parse(&customer).unwrap(), CardId::parse(&card).unwrap());
    let store = asked.vault.store();
    let row = store.under_other_keys(Table::Cards, (2, 2), &Cursor::default(), 1).await.unwrap().remove(0);
    let read = store.card(&row.merchant, &customer, &card).await.unwrap().unwrap();
    patch(&asked, &account, &format!("{path}/cards/{card}"), &json!({ "city": "Bangkok" })).await;

    let renewal = CardRenewal {
        id: card.clone(),
        before: read.details.clone(),
        after: read.details.clone(),
        security_code_check: false,
    };
    let event = NewEvent {
        id: EventId::random(Mode::Test),
        key: EventKey::CardUpdate,
        object: card.to_string(),
        details: read.details.clone(),
        created_at: read.created_at,
    };
    let told = asked.count("events").await;
    assert!(!store.update_card(&row.merchant, &customer, &renewal, &event).await.unwrap());
    assert_eq!(asked.count("events").await, told);
    let reencrypted = Reencrypted {
        key_version: row.key_version,
        pan: row.pan.clone(),
        fingerprint: Some(read.fingerprint),
        details: row.details.clone(),
    };
    assert_eq!(store.reencrypt(Table::Cards, &[(row, reencrypted)]).await.unwrap(), 0);
    assert_eq!(get(&asked, &account, &path).await.json()["cards"]["data"][0]["city"], "Bangkok");
}

#[tokio::test]
async fn a_card_is_changed_where_something_is_named() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let path =
        get(&asked, &account, &format!("/customers/{customer}")).await.json()["cards"]["data"][0]["location"]
            .take();
    let path = path.as_str().unwrap();
    let mut card = get(&asked, &account, path).await.json();
    for (change, name, value) in [
        (json!({ "expiration_month": 1 }), "expiration_month", json!(1)),
        (json!({ "expiration_year": "2033" }), "expiration_year", json!(2033)),
        (json!({ "name": "Somchai P." }), "name", json!("Somchai P.")),
        (json!({ "city": "Bangkok" }), "city", json!("Bangkok")),
        (json!({ "country": "th" }), "country", json!("th")),
        (json!({ "phone_number": "+66 2 252 8777" }), "phone_number", json!("+66 2 252 8777")),
        (json!({ "postal_code": "10320" }), "postal_code", json!("10320")),
        (json!({ "city": null }), "city", json!(null)),
        (json!({ "email": "a@example.com" }), "object", json!("card")),
    ] {
        let changed = patch(&asked, &account, path, &change).await.json();
        card[name] = value;
        assert_eq!(changed, card, "{change}");
        assert_eq!(get(&asked, &account, path).await.json(), card);
    }
    for (change, code, words) in [
        (json!({ "expiration_month": 13 }), "invalid_card", "expiration month is not between 1 and 12"),
        (json!({ "expiration_year": 2020 }), "invalid_card", "expiration date cannot be in the past"),
        (json!({ "name": null }), "invalid_card", "name can't be blank"),
        (json!({ "name": "4242424242424242" }), "invalid_card", "name is invalid"),
        (
            json!({ "name": "", "expiration_month": 0 }),
            "invalid_card",
            "name can't be blank, expiration month",
        ),
        (json!({ "number": MASTERCARD }), "bad_request", "number is not a parameter here"),
        (json!({ "security_code": "123" }), "bad_request", "security_code is not a parameter here"),
        (json!({ "street1": "4242424242424242" }), "bad_request", "contains a card number"),
        (json!({ "country": "Thailand" }), "bad_request", "country"),
    ] {
        let message = patch(&asked, &account, path, &change).await.error(400, code);
        assert!(message.contains(words), "{message}");
        assert_eq!(get(&asked, &account, path).await.json(), card, "{change}");
    }
    assert_eq!(
        charge(&asked, &account, &json!({ "customer": customer })).await["card"]["name"],
        "Somchai P."
    );
}

#[tokio::test]
async fn a_deleted_card_is_gone_and_the_last_becomes_the_default() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let path = format!("/customers/{customer}");
    let mut cards = vec![get(&asked, &account, &path).await.json()["default_card"].clone()];
    for number in [MASTERCARD, DECLINED] {
        let body = json!({ "card": asked.token(&account, number).await });
        let changed = patch(&asked, &account, &path, &body).await.json();
        assert_eq!(changed["default_card"], cards[0], "the first stays the default");
        cards.push(changed["cards"]["data"].as_array().unwrap().last().unwrap()["id"].clone());
    }
    let set = patch(&asked, &account, &path, &json!({ "default_card": cards[1] })).await.json();
    assert_eq!(set["default_card"], cards[1]);

    for (deleted, default) in [(1, &cards[2]), (0, &cards[2]), (2, &json!(null))] {
        let card = format!("{path}/cards/{}", cards[deleted].as_str().unwrap());
        let mut before = get(&asked, &account, &card).await.json();
        let answer = delete(&asked, &account, &card).await;
        before["deleted"] = json!(true);
        assert_eq!(answer.json(), before);
        for answer in [
            get(&asked, &account, &card).await,
            patch(&asked, &account, &card, &json!({ "city": "Bangkok" })).await,
            delete(&asked, &account, &card).await,
            post_charge(&asked, &account, &json!({ "customer": customer, "card": cards[deleted] })).await,
        ] {
            assert_eq!(answer.error(404, "not_found"), "card was not found");
        }
        assert_eq!(get(&asked, &account, &path).await.json()["default_card"], *default);
    }
    assert_eq!(asked.count("cards").await, 0);
}

#[tokio::test]
async fn a_deleted_customer_is_gone_with_all_cards() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let path = format!("/customers/{customer}");
    patch(&asked, &account, &path, &json!({ "card": asked.token(&account, MASTERCARD).await })).await;
    let card = get(&asked, &account, &path).await.json()["cards"]["data"][0]["location"].take();
    let made = charge(&asked, &account, &json!({ "customer": customer })).await;

    let answer = delete(&asked, &account, &path).await;
    let expected = json!({
        "object": "customer", "id": customer, "livemode": false, "location": path, "deleted": true,
        "created_at": "2026-11-21T12:00:00Z",
    });
    assert_eq!(answer.json(), expected);
    assert_eq!((asked.count("customers").await, asked.count("cards").await), (0, 0));
    for path in [&*path, &format!("{path}/cards"), card.as_str().unwrap()] {
        get(&asked, &account, path).await.error(404, "not_found");
    }
    delete(&asked, &account, &path).await.error(404, "not_found");
    patch(&asked, &account, &path, &json!({ "email": "a@example.com" })).await.error(404, "not_found");
    post_charge(&asked, &account, &json!({ "customer": customer })).await.error(404, "not_found");
    // What was charged stays as it was, but for whose card it was.
    let path = made["location"].as_str().unwrap();
    let mut made = made.clone();
    (made["card"]["name"], made["card"]["fingerprint"]) = (Value::Null, json!(""));
    assert_eq!(get(&asked, &account, path).await.json(), made);
}

#[tokio::test]
async fn lists_have_pages() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let mut customers = Vec::new();
    for number in 0..3 {
        asked.set_time(NOON + number);
        let body = json!({ "email": format!("{number}@example.com") });
        customers.push(asked.post("/customers", &account.secret_key, &body).await.json()["id"].clone());
    }
    let path = format!("/customers/{}", customers[0].as_str().unwrap());
    for number in [VISA, MASTERCARD, DECLINED] {
        patch(&asked, &account, &path, &json!({ "card": asked.token(&account, number).await })).await;
    }
    let cards = get(&asked, &account, &path).await.json()["cards"]["data"].clone();
    let cards: Vec<_> = cards.as_array().unwrap().iter().map(|card| card["id"].clone()).collect();
    let path = format!("{path}/cards");
    for (query, places) in [
        ("", &[0, 1, 2][..]),
        ("?limit=2", &[0, 1]),
        ("?limit=2&offset=2", &[2]),
        ("?offset=3", &[]),
        ("?order=reverse_chronological&limit=1", &[2]),
        ("?order=chronological&from=&to=&offset=1", &[1, 2]),
    ] {
        for (path, ids) in [("/customers", &customers), (&*path, &cards)] {
            let list = get(&asked, &account, &format!("{path}{query}")).await.json();
            let shown: Vec<_> = list["data"].as_array().unwrap().iter().map(|item| &item["id"]).collect();
            let expected: Vec<_> = places.iter().map(|place| &ids[*place]).collect();
            assert_eq!((shown, &list["total"]), (expected, &json!(3)), "{path}{query}");
        }
    }
    let list =
        get(&asked, &account, "/customers?from=2026-11-21T12:00:01Z&to=2026-11-21T12:00:01Z").await.json();
    assert_eq!((&list["data"][0]["id"], &list["total"]), (&customers[1], &json!(1)));
    assert_eq!(list["to"], "2026-11-21T12:00:01Z");

    // As PyPI's `omise` asks.
    let body = json!({ "limit": 1, "offset": 1, "order": null, "from": null, "to": null });
    let asking = request(Method::GET, "/customers", &account.secret_key).header(CONTENT_TYPE, JSON);
    let list = asked.send(asking.body(Body::from(body.to_string())).unwrap()).await.json();
    assert_eq!((&list["data"][0]["id"], &list["limit"]), (&customers[1], &json!(1)));

    for query in [
        "limit=0",
        "limit=101",
        "limit=ten",
        "limit=-1",
        "offset=-1",
        "offset=99999999999",
        "order=random",
        "from=yesterday",
        "limit=1&limit=2",
        "limit=%zz",
        "4242424242424242=1",
        "limit=4242424242424242",
    ] {
        for path in ["/customers", &*path] {
            let message = get(&asked, &account, &format!("{path}?{query}")).await.error(400, "bad_request");
            assert!(!message.contains("4242"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_customer_shows_its_first_twenty_cards() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let path = format!("/customers/{customer}");
    // Published test cards are fewer than that, so this customer gets copies of its row.
    asked
        .execute(
            "WITH RECURSIVE numbers (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM numbers WHERE n < 25)
             INSERT INTO cards SELECT merchant_id, customer_id, id || n, n, brand, last_digits, substr(details, n, 8),
                 fingerprint_key_version, security_code_check, data_key_version, pan, details, created_at
             FROM cards, numbers",
        )
        .await;
    // Their ciphertexts belong to the first, which shows when one is looked at.
    get(&asked, &account, &path).await.error(500, "internal_error");
    let merchant = asked
        .vault
        .store()
        .under_other_keys(Table::Customers, (2, 2), &Cursor::default(), 1)
        .await
        .unwrap()
        .remove(0)
        .merchant;
    let store = asked.vault.store();
    let id = CustomerId::parse(&customer).unwrap();
    let stored = store.customer(&merchant, &id).await.unwrap().unwrap();
    let first = store.first_cards(&merchant, &[stored], Window::default().limit).await.unwrap();
    assert_eq!((first[&id].0.len(), first[&id].1), (20, 25));
}

#[tokio::test]
async fn customers_cards_are_charged() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let path = format!("/customers/{customer}");
    let body = json!({ "card": asked.token(&account, DECLINED).await });
    let cards = patch(&asked, &account, &path, &body).await.json()["cards"]["data"].take();

    for _ in 0..2 {
        let made = charge(&asked, &account, &json!({ "customer": customer })).await;
        assert_eq!((&made["status"], &made["customer"]), (&json!("successful"), &json!(customer)));
        assert_eq!((&made["card"]["id"], &made["card"]["last_digits"]), (&cards[0]["id"], &json!("4242")));
        assert_eq!(get(&asked, &account, made["location"].as_str().unwrap()).await.json(), made);
    }
    let made = charge(&asked, &account, &json!({ "customer": customer, "card": cards[1]["id"] })).await;
    assert_eq!((&made["status"], &made["failure_code"]), (&json!("failed"), &json!("insufficient_fund")));
    assert_eq!(asked.count_where("cards", "pan IS NOT NULL").await, 2, "a charge uses no card up");
    assert_eq!(asked.count_where("charges", "token_id IS NULL AND customer_id IS NOT NULL").await, 3);

    let token = asked.token(&account, VISA).await;
    for (card, message) in [
        (json!(token), "card was not found"),
        (json!("card_test_nowhere"), "card was not found"),
        (json!(VISA), "card was not found"),
    ] {
        let answer = post_charge(&asked, &account, &json!({ "customer": customer, "card": card })).await;
        assert_eq!(answer.error(404, "not_found"), message);
    }
    // A card is a customer's: alone it is not even looked for.
    post_charge(&asked, &account, &json!({ "card": cards[0]["id"] })).await.error(404, "not_found");
    assert_eq!(asked.charge(&account, &token).await.status, 200);
}

#[tokio::test]
async fn nobody_sees_anothers_customers() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let customer = customer_with(&asked, &account, &asked.token(&account, VISA).await).await;
    let card = get(&asked, &account, &format!("/customers/{customer}")).await.json()["default_card"].clone();
    let paths = [
        format!("/customers/{customer}"),
        format!("/customers/{customer}/cards"),
        format!("/customers/{customer}/cards/{}", card.as_str().unwrap()),
    ];
    let live = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    for other in [&asked.merchant().await, &live] {
        for path in &paths {
            get(&asked, other, path).await.error(404, "not_found");
            if !path.ends_with("/cards") {
                patch(&asked, other, path, &json!({})).await.error(404, "not_found");
                delete(&asked, other, path).await.error(404, "not_found");
            }
        }
        assert_eq!(get(&asked, other, "/customers").await.json()["total"], 0);
        let token = asked.token(&account, VISA).await;
        asked.post("/customers", &other.secret_key, &json!({ "card": token })).await.error(404, "not_found");
    }
    let other = asked.merchant().await;
    post_charge(&asked, &other, &json!({ "customer": customer })).await.error(404, "not_found");
    // Nor does a merchant's other customer have this one's card.
    let second = customer_with(&asked, &account, &asked.token(&account, MASTERCARD).await).await;
    let path = format!("/customers/{second}");
    get(&asked, &account, &format!("{path}/cards/{}", card.as_str().unwrap())).await.error(404, "not_found");
    patch(&asked, &account, &path, &json!({ "default_card": card })).await.error(404, "not_found");
    post_charge(&asked, &account, &json!({ "customer": second, "card": card })).await.error(404, "not_found");

    let token = asked.token(&live, VISA).await;
    let kept = asked.post("/customers", &live.secret_key, &json!({ "card": token })).await.json();
    assert_eq!((&kept["livemode"], &kept["cards"]["data"][0]["livemode"]), (&json!(true), &json!(true)));
    assert!(!kept["id"].as_str().unwrap().contains("test"));
    assert_eq!(get(&asked, &account, &paths[0]).await.status, 200);
}

#[tokio::test]
async fn the_audit_tells_of_cards_kept_and_deleted() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    let token = asked.token(&account, VISA).await;
    let customer = customer_with(&asked, &account, &token).await;
    let path = format!("/customers/{customer}");
    let card = get(&asked, &account, &path).await.json()["default_card"].as_str().unwrap().to_owned();
    // What is refused opens no card.
    patch(&asked, &account, &path, &json!({ "card": token })).await.error(400, "used_token");
    patch(&asked, &account, &path, &json!({ "card": asked.token(&account, VISA).await })).await;
    patch(&asked, &account, &format!("{path}/cards/{card}"), &json!({ "city": "Bangkok" })).await;
    delete(&asked, &account, &format!("{path}/cards/{card}")).await;
    delete(&asked, &account, &path).await;

    let chains = asked.chains().await;
    assert!(chains.len() == 1 && chains[0].flaw.is_none());
    let rows = asked.vault.store().audit_rows(chains[0].merchant.as_ref(), 0, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.entry.action, row.entry.subject.as_str())).collect();
    let expected = [
        (Action::KeepCard, &*card),
        (Action::KeepCard, &card),
        (Action::DeleteCard, &card),
        (Action::DeleteCustomer, &customer),
    ];
    assert_eq!(told, expected);
    assert!(rows.iter().all(|row| matches!(row.entry.by.actor, Actor::Key(_))));
}

async fn customer_with(asked: &Asked, account: &Account, token: &str) -> String {
    let answer = asked.post("/customers", &account.secret_key, &json!({ "card": token })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["id"].as_str().unwrap().into()
}

async fn post_charge(asked: &Asked, account: &Account, source: &Value) -> Answer {
    let mut body = json!({ "amount": 10_000, "currency": "thb" });
    body.as_object_mut().unwrap().extend(source.as_object().unwrap().clone());
    asked.post("/charges", &account.secret_key, &body).await
}

async fn charge(asked: &Asked, account: &Account, source: &Value) -> Value {
    let answer = post_charge(asked, account, source).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

async fn get(asked: &Asked, account: &Account, path: &str) -> Answer {
    asked.get(path, &account.secret_key).await
}

async fn delete(asked: &Asked, account: &Account, path: &str) -> Answer {
    asked.send(request(Method::DELETE, path, &account.secret_key).body(Body::empty()).unwrap()).await
}

async fn patch(asked: &Asked, account: &Account, path: &str, body: &Value) -> Answer {
    let request = request(Method::PATCH, path, &account.secret_key).header(CONTENT_TYPE, JSON);
    asked.send(request.body(Body::from(body.to_string())).unwrap()).await
}
