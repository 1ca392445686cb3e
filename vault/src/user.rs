//! The system's users, as people.

use std::env;
use std::fs;

use rustix::process::getuid;

use crate::audit::Person;

/// Who runs this process, as the system knows them: whoever became root by sudo or doas, or else the process's user. Root
/// can say anything here, as root can do anything.
#[must_use]
pub fn current() -> Option<Person> {
    let user = getuid();
    let before = || ["SUDO_USER", "DOAS_USER"].iter().find_map(|name| Person::parse(&env::var(name).ok()?));
    let before = if user.is_root() { before() } else { None };
    before.or_else(|| of(user.as_raw()))
}

/// Who has this user id (passwd(5)): `uid-1000` where it has no name.
#[must_use]
pub fn of(id: u32) -> Option<Person> {
    let named = fs::read_to_string("/etc/passwd").ok().and_then(|users| name(&users, id));
    named.or_else(|| Person::parse(&format!("uid-{id}")))
}

fn name(users: &str, id: u32) -> Option<Person> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next()?, fields.nth(1)?);
        (uid.parse() == Ok(id)).then(|| Person::parse(name))?
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_a_name() {
        let users = "root:x:0:0:root:/root:/bin/sh\nbroken\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!(name(users, 1000).unwrap().as_str(), "anna");
        assert_eq!(name(users, 1), None);
        assert!(current().is_some());
    }
}
