//! With SoftHSM, Debian's package `softhsm2`. Each test has a process and a token of its own.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cardseal_vault::keys::kek::{Kek, KekError};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;

use super::{alone, open, opens, opens_only_what_was_wrapped, refusal, source, wrap, write_private};

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "246810";
const OFFICER: &str = "13579135";

/// A token that is called `cards`.
struct Token(PathBuf);

/// Runs `test` in a process of its own, with a token of its own.
fn with_token(name: &str, settings: &str, test: impl FnOnce(&Token)) {
    const FOLDER: &str = "CARDSEAL_TEST_TOKEN";
    let name = format!("keys::kek::pkcs11::{name}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let variables = || {
        assert!(Path::new(MODULE).exists(), "SoftHSM is not installed; type: apt-get install softhsm2");
        fs::create_dir(path.join("tokens")).unwrap();
        let configuration = path.join("softhsm2.conf");
        let tokens = path.join("tokens");
        fs::write(&configuration, format!("directories.tokendir = {}\n{settings}\n", tokens.display()))
            .unwrap();
        init_token(&configuration, "cards");
        vec![("SOFTHSM2_CONF", configuration.into()), (FOLDER, path.into())]
    };
    if alone(&name, variables) {
        let token = Token(env::var_os(FOLDER).unwrap().into());
        write_private(&token.pin(), &format!("{PIN}\n"));
        test(&token);
    }
}

fn init_token(configuration: &Path, label: &str) {
    let output = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", OFFICER])
        .env("SOFTHSM2_CONF", configuration)
        .output()
        .expect("SoftHSM is not installed; type: apt-get install softhsm2");
    assert!(output.status.success(), "{output:?}");
}

impl Token {
    fn pin(&self) -> PathBuf {
        self.0.join("pin")
    }

    /// The source with a key of this label.
    fn key(&self, label: &str) -> String {
        format!(
            "pkcs11:token=cards;object={label}?module-path={MODULE}&pin-source=file:{}",
            self.pin().display()
        )
    }

    /// The source with a new key of this label.
    fn new_key(&self, label: &str) -> String {
        let key = self.key(label);
        source(&key).create().unwrap();
        key
    }

    /// Makes a key that the vault would not make, or looks at one.
    fn session(&self) -> Session {
        let module = Pkcs11::new(MODULE).unwrap();
        // The vault may have.
        let _ = module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        let slots = module.get_slots_with_token().unwrap();
        let cards = slots.into_iter().find(|slot| module.get_token_info(*slot).unwrap().label() == "cards");
        let session = module.open_rw_session(cards.unwrap()).unwrap();
        let _ = session.login(UserType::User, Some(&AuthPin::from(PIN)));
        // Dropped, it would unload the module under the session.
        std::mem::forget(module);
        session
    }
}

#[test]
fn wraps_and_opens_inside_the_token() {
    with_token("wraps_and_opens_inside_the_token", "", |token| {
        let key = token.new_key("kek");
        let kek = open(&key).unwrap();
        opens_only_what_was_wrapped(&kek);
        let wrapped = wrap(&kek);
        assert!(opens(&open(&key).unwrap(), &wrapped));
        assert!(!opens(&open(&token.new_key("other")).unwrap(), &wrapped));
        assert!(!format!("{kek:?}").contains(PIN), "{kek:?}");

        // The one that was made is there once, and stays.
        let message = source(&key).create().unwrap_err().to_string();
        assert!(message.contains("has a secret key \"kek\" already"), "{message}");
        assert!(opens(&kek, &wrapped));
    });
}

#[test]
fn the_key_cannot_be_read() {
    with_token("the_key_cannot_be_read", "", |token| {
        token.new_key("kek");
        let session = token.session();
        let keys = session.find_objects(&[Attribute::Label("kek".into())]).unwrap();
        let [key] = keys[..] else { panic!("{keys:?}") };
        let attributes = [
            AttributeType::AlwaysSensitive,
            AttributeType::NeverExtractable,
            AttributeType::Private,
            AttributeType::Value,
        ];
        let values = session.get_attributes(key, &attributes).unwrap();
        let expected =
            [Attribute::AlwaysSensitive(true), Attribute::NeverExtractable(true), Attribute::Private(true)];
        assert_eq!(values, expected);
    });
}

#[test]
fn threads_use_the_key_at_once() {
    with_token("threads_use_the_key_at_once", "", |token| {
        let kek = open(&token.new_key("kek")).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10).for_each(|_| assert!(opens(&kek, &wrap(&kek)))));
            }
        });
    });
}

#[test]
fn tasks_use_the_key() {
    with_token("tasks_use_the_key", "", |token| {
        let kek = open(&token.new_key("kek")).unwrap();
        let one = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let several = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        for runtime in [one, several] {
            let tasks: Vec<_> = (0..4)
                .map(|_| {
                    let kek = kek.clone();
                    runtime.spawn(async move { opens(&kek, &wrap(&kek)) })
                })
                .collect();
            for task in tasks {
                assert!(runtime.block_on(task).unwrap());
            }
        }
    });
}

#[test]
fn the_key_is_changed_to_one_in_a_token() {
    with_token("the_key_is_changed_to_one_in_a_token", "", |token| {
        let old = Kek::load_or_create(&token.0.join("kek")).unwrap();
        let [first, second] = ["first", "second"].map(|label| open(&token.new_key(label)).unwrap());
        let keys = old.rewrap(&first, &[wrap(&old), wrap(&old)]).unwrap();
        assert!(keys.iter().all(|key| opens(&first, key) && !opens(&old, key)));
        let keys = first.rewrap(&second, &keys).unwrap();
        assert!(keys.iter().all(|key| opens(&second, key) && !opens(&first, key)));
        let keys = second.rewrap(&old, &keys).unwrap();
        assert!(keys.iter().all(|key| opens(&old, key)));
    });
}

#[test]
fn a_wrong_pin_is_told_and_not_shown() {
    with_token("a_wrong_pin_is_told_and_not_shown", "", |token| {
        let key = token.key("kek");
        for wrong in ["864209", "1", &"9".repeat(300), ""] {
            write_private(&token.pin(), wrong);
            let message = refusal(&key);
            assert!(message.contains("the PIN of the token \"cards\" is wrong"), "{wrong:?}: {message}");
            assert!(wrong.len() < 2 || !message.contains(wrong), "{message}");
        }
        // The right one goes after the wrong ones.
        write_private(&token.pin(), PIN);
        open(&token.new_key("kek")).unwrap();
    });
}

#[test]
fn the_pin_is_kept_as_a_key_is() {
    with_token("the_pin_is_kept_as_a_key_is", "", |token| {
        let key = token.new_key("kek");
        fs::set_permissions(token.pin(), Permissions::from_mode(0o644)).unwrap();
        let message = refusal(&key);
        assert!(message.contains("the PIN file") && message.contains("chmod 600"), "{message}");
        fs::remove_file(token.pin()).unwrap();
        assert!(refusal(&key).contains("is missing"));

        let from_variable =
            key.replace(&format!("file:{}", token.pin().display()), "env:CARDSEAL_TEST_NO_PIN");
        assert!(refusal(&from_variable).contains("CARDSEAL_TEST_NO_PIN is not set"));
    });
}

#[test]
fn what_is_not_there_is_named() {
    with_token("what_is_not_there_is_named", "", |token| {
        let key = token.key("kek");
        let message = refusal(&key);
        assert!(message.contains("has no secret key \"kek\""), "{message}");
        assert!(message.contains(&format!("keys kek init --kek '{key}'")), "{message}");
        let message = refusal(&key.replace("token=cards", "token=Cards"));
        assert!(
            message.contains("no token has the label \"Cards\"") && message.contains("cards"),
            "{message}"
        );
        let message = refusal(&key.replace(MODULE, "/nowhere/module.so"));
        assert!(
            message.contains("/nowhere/module.so") && message.contains("apt-get install softhsm2"),
            "{message}"
        );
        // A file that is no library, and a library that is no module.
        for other in ["/etc/passwd", "/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6"] {
            if Path::new(other).exists() {
                let message = refusal(&key.replace(MODULE, other));
                assert!(message.contains(other) && message.contains("cannot be used"), "{message}");
            }
        }
    });
}

#[test]
fn two_of_one_name_are_refused() {
    with_token("two_of_one_name_are_refused", "", |token| {
        let key = token.new_key("kek");
        let session = token.session();
        let keys = session.find_objects(&[Attribute::Label("kek".into())]).unwrap();
        session.copy_object(keys[0], &[Attribute::Token(true)]).unwrap();
        let message = refusal(&key);
        assert!(message.contains("has several secret keys \"kek\""), "{message}");
    });
}

#[test]
fn two_tokens_of_one_name_are_refused() {
    with_token("two_tokens_of_one_name_are_refused", "", |token| {
        init_token(&token.0.join("softhsm2.conf"), "cards");
        let message = refusal(&token.key("kek"));
        assert!(message.contains("several tokens have the label \"cards\""), "{message}");
    });
}

#[test]
fn a_key_that_does_not_stay_in_its_token_is_refused() {
    with_token("a_key_that_does_not_stay_in_its_token_is_refused", "", |token| {
        let session = token.session();
        let make = |label: &str, mechanism, attributes: &[Attribute]| {
            let mut template = vec![
                Attribute::Class(ObjectClass::SECRET_KEY),
                Attribute::Token(true),
                Attribute::Private(true),
                Attribute::Label(label.into()),
            ];
            template.extend_from_slice(attributes);
            session.generate_key(&mechanism, &template).unwrap();
            refusal(&token.key(label))
        };
        let fit = [
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Encrypt(true),
            Attribute::Decrypt(true),
            Attribute::ValueLen(32.into()),
        ];
        let but = |index: usize, other: Attribute| {
            let mut attributes = fit.clone();
            attributes[index] = other;
            attributes
        };
        for (index, other, words) in [
            (0, Attribute::Sensitive(false), "can be taken out of its token"),
            (1, Attribute::Extractable(true), "can be taken out of its token"),
            (2, Attribute::Encrypt(false), "is not for encryption"),
            (3, Attribute::Decrypt(false), "is not for encryption"),
            (4, Attribute::ValueLen(16.into()), "is no AES key of 256 bits"),
        ] {
            let message = make(&format!("key{index}"), Mechanism::AesKeyGen, &but(index, other));
            assert!(message.contains(words) && message.contains(&format!("\"key{index}\"")), "{message}");
        }
        let generic =
            make("generic", Mechanism::GenericSecretKeyGen, &but(4, Attribute::ValueLen(32.into())));
        assert!(generic.contains("is no AES key of 256 bits"), "{generic}");
        let keys = session.find_objects(&[Attribute::KeyType(KeyType::GENERIC_SECRET)]).unwrap();
        assert_eq!(keys.len(), 1);
    });
}

#[test]
fn a_token_without_gcm_is_refused() {
    with_token("a_token_without_gcm_is_refused", "slots.mechanisms = CKM_AES_KEY_GEN,CKM_AES_CBC", |token| {
        let message = refusal(&token.key("kek"));
        assert!(message.contains("does not do AES-GCM"), "{message}");
    });
}

#[test]
fn a_token_that_nobody_set_up_is_refused() {
    with_token("a_token_that_nobody_set_up_is_refused", "", |token| {
        let module = Pkcs11::new(MODULE).unwrap();
        module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
        let slots = module.get_slots_with_token().unwrap();
        let free = slots.into_iter().find(|slot| !module.get_token_info(*slot).unwrap().token_initialized());
        module.init_token(free.unwrap(), &AuthPin::from(OFFICER), "bare").unwrap();
        let message = refusal(&token.key("kek").replace("token=cards", "token=bare"));
        assert!(message.contains("has no user PIN yet"), "{message}");
    });
}

#[test]
fn a_session_that_the_token_ended_is_not_missed() {
    with_token("a_session_that_the_token_ended_is_not_missed", "", |token| {
        let kek = open(&token.new_key("kek")).unwrap();
        let wrapped = wrap(&kek);
        // Logging out is for all sessions of a process.
        let session = token.session();
        session.logout().unwrap();
        assert!(opens(&kek, &wrapped));
    });
}

#[test]
fn a_token_that_is_gone_fails() {
    with_token("a_token_that_is_gone_fails", "", |token| {
        let kek = open(&token.new_key("kek")).unwrap();
        let wrapped = wrap(&kek);
        fs::rename(token.0.join("tokens"), token.0.join("away")).unwrap();
        assert!(matches!(kek.unwrap(&wrapped), Err(KekError::Token(_))));
        assert!(matches!(kek.wrap(wrapped.purpose, 1, b"key"), Err(KekError::Token(_))));
    });
}
