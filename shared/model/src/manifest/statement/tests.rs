//! A statement that counts, disturbed in one thing at a time.

use super::*;

/// Fixed bytes in place of the system's randomness, so that tests say the same every time.
fn key(seed: u8) -> (Vec<u8>, PublicKey) {
    // The PKCS #8 form of an Ed25519 private key: a fixed head and the 32 bytes of the seed.
    let mut pkcs8 =
        vec![0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    pkcs8.extend([seed; 32]);
    let public = PublicKey::of(&pkcs8).unwrap();
    (pkcs8, public)
}

/// Everything that `verify` is asked.
struct Case {
    signed: SignedStatement,
    digest: Digest,
    organization: Name,
    newest: u64,
    keys: PublicKeys,
    now: Timestamp,
}

fn statement() -> Statement {
    Statement {
        organization: "acme".parse().unwrap(),
        generation: 7,
        digest: Digest::of(b"bundle"),
        key_id: key(1).1.id,
        expires: "2026-12-21T00:00:00Z".parse().unwrap(),
        author: Some("ada".to_owned()),
        signed_at: "2026-11-21T00:00:00Z".parse().unwrap(),
    }
}

fn right() -> Case {
    let (pkcs8, public) = key(1);
    Case {
        signed: sign(&statement(), &pkcs8).unwrap(),
        digest: Digest::of(b"bundle"),
        organization: "acme".parse().unwrap(),
        newest: 7,
        keys: PublicKeys::parse(&public.to_string()).unwrap(),
        now: "2026-11-22T00:00:00Z".parse().unwrap(),
    }
}

fn judge(case: &Case) -> Result<Statement, Refused> {
    let Case { signed, digest, organization, newest, keys, now } = case;
    verify(signed, digest, organization, *newest, keys, *now)
}

#[test]
fn a_right_statement_counts() {
    assert_eq!(judge(&right()).unwrap(), statement());
}

#[test]
fn one_thing_wrong_is_refused_and_says_what_to_do() {
    type Disturb = fn(&mut Case);
    type Expected = fn(&Refused) -> bool;
    let table: [(&str, Disturb, Expected); 11] = [
        (
            "a key that nobody trusts",
            |c| c.keys = PublicKeys::parse(&key(2).1.to_string()).unwrap(),
            |r| matches!(r, Refused::UnknownKey { .. }),
        ),
        (
            "another key under a trusted key's name",
            |c| {
                c.signed.signature =
                    STANDARD.encode(pair(&key(2).0).unwrap().sign(c.signed.statement.as_bytes()))
            },
            |r| matches!(r, Refused::WrongSignature { .. }),
        ),
        (
            "a statement changed after signing",
            |c| c.signed.statement = c.signed.statement.replace("\"generation\":7", "\"generation\":8"),
            |r| matches!(r, Refused::WrongSignature { .. }),
        ),
        (
            "white space after signing",
            |c| c.signed.statement.push(' '),
            |r| matches!(r, Refused::WrongSignature { .. }),
        ),
        (
            "a signature that is not base64",
            |c| c.signed.signature.push('!'),
            |r| matches!(r, Refused::WrongSignature { .. }),
        ),
        ("no signature", |c| c.signed.signature.clear(), |r| matches!(r, Refused::WrongSignature { .. })),
        (
            "a text that is no statement",
            |c| c.signed.statement = "{}".to_owned(),
            |r| matches!(r, Refused::Malformed(_)),
        ),
        (
            "another organization",
            |c| c.organization = "other".parse().unwrap(),
            |r| matches!(r, Refused::OtherOrganization { .. }),
        ),
        ("another bundle", |c| c.digest = Digest::of(b"other"), |r| matches!(r, Refused::OtherDigest { .. })),
        (
            "a newer generation seen",
            |c| c.newest = 8,
            |r| matches!(r, Refused::OlderGeneration { found: 7, newest: 8 }),
        ),
        ("its last moment", |c| c.now = statement().expires, |r| matches!(r, Refused::Expired { .. })),
    ];
    for (what, disturb, expected) in table {
        let mut case = right();
        disturb(&mut case);
        let refused = judge(&case).unwrap_err();
        assert!(expected(&refused), "{what}: {refused:?}");
        assert!(refused.to_string().contains(": "), "{what} does not say what to do: {refused}");
    }
}

#[test]
fn a_newer_generation_than_was_seen_counts() {
    let case = Case { newest: 3, ..right() };
    assert_eq!(judge(&case).unwrap().generation, 7);
}

#[test]
fn a_replaced_key_counts_beside_the_new_one() {
    let both = format!("{}, {},", key(2).1, key(1).1);
    let case = Case { keys: PublicKeys::parse(&both).unwrap(), ..right() };
    assert!(judge(&case).is_ok());
}

#[test]
fn the_file_says_the_statement_in_the_open() {
    let signed = right().signed;
    let file = signed.to_json().unwrap();
    assert_eq!(SignedStatement::load(&file).unwrap(), signed);
    insta::assert_snapshot!(signed.statement, @r#"{"author":"ada","digest":"1e6ed65d77d6364eeaed5a745ba5c4985ae2b700dd85d7cf7f027bdf294a33fc","expires":"2026-12-21T00:00:00Z","generation":7,"key-id":"34750f98bd59fcfc","organization":"acme","signed-at":"2026-11-21T00:00:00Z"}"#);
    assert!(SignedStatement::load(b"{}").is_err());
}

#[test]
fn signing_is_refused_with_another_key_than_the_statement_names() {
    assert!(matches!(sign(&statement(), &key(2).0), Err(KeyError::OtherKey { .. })));
    assert!(matches!(sign(&statement(), b"no key"), Err(KeyError::NotAKey)));
}

#[test]
fn a_new_key_signs_and_its_private_half_is_never_shown() {
    let key = keygen(&ring::rand::SystemRandom::new()).unwrap();
    let statement = Statement { key_id: key.public.id().clone(), ..statement() };
    let keys = PublicKeys::parse(&key.public.to_string()).unwrap();
    let signed = sign(&statement, &key.pkcs8).unwrap();
    assert!(judge(&Case { signed, keys, ..right() }).is_ok());
    assert!(!format!("{key:?}").contains("pkcs8:"));
}

#[test]
fn trusted_keys_that_can_t_be_meant_are_refused() {
    let right = key(1).1.to_string();
    let other = key(2).1.to_string();
    let (id, bytes) = (right.split_once('=').unwrap().0, other.split_once('=').unwrap().1);
    type Expected = fn(&KeyError) -> bool;
    let table: [(String, Expected); 5] = [
        (String::new(), |e| matches!(e, KeyError::NoKey)),
        ("0123456789abcdef".to_owned(), |e| matches!(e, KeyError::NotAPublicKey { .. })),
        (format!("{id}=AAAA"), |e| matches!(e, KeyError::NotAPublicKey { .. })),
        (format!("{id}=???"), |e| matches!(e, KeyError::NotAPublicKey { .. })),
        (format!("{id}={bytes}"), |e| matches!(e, KeyError::Misnamed { .. })),
    ];
    for (text, expected) in table {
        let error = PublicKeys::parse(&text).unwrap_err();
        assert!(expected(&error), "{text}: {error:?}");
    }
}
