//! Statements packed into as few documents as fit. Pure: the same statements give the same documents, byte by byte.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Value, json};

use landfall_model::catalog::ControlKind;
use landfall_model::id::Digest;

use super::compile::{Actions, Statement};
use super::quota::Quota;

/// One service control policy, as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Document {
    /// The policy's name.
    pub name: String,
    /// Its document, minified.
    pub content: String,
    /// The controls whose statements are in it.
    pub controls: BTreeSet<ControlKind>,
}

impl Document {
    /// The digest of what the document says, however it is written.
    pub(in crate::controls) fn digest(&self) -> Digest {
        digest(&self.content)
    }
}

/// A statement that fits no document, however it is cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the statement `{sid}` takes {size} characters in a policy of its own, {} more than the {most} that AWS takes", size - most)]
pub(super) struct TooLarge {
    pub(super) sid: String,
    pub(super) size: usize,
    pub(super) most: usize,
}

/// Most characters of a policy's name.
const LONGEST_NAME: usize = 128;

/// The names of the policies at a place, but for their number.
pub(super) fn base(resource: &str) -> String {
    let base = format!("{}{}", super::OURS, resource.replace('/', "."));
    // Room for the number.
    if base.chars().count() + 8 <= LONGEST_NAME {
        return base;
    }
    let head: String = base.chars().take(LONGEST_NAME - 24).collect();
    format!("{head}.{}", Digest::of(base.as_bytes()).short())
}

/// Whether a policy of this name belongs to the place: a number follows, so `workloads` and `workloads-1` are told apart.
pub(super) fn belongs(base: &str, name: &str) -> bool {
    number(base, name).is_some()
}

/// The number of a policy of a place.
pub(super) fn number<'a>(base: &str, name: &'a str) -> Option<&'a str> {
    let number = name.strip_prefix(base)?.strip_prefix('-')?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(number)
}

/// Puts each statement into the first document where it fits. One that fits none by itself is cut where it can be.
pub(super) fn pack(
    base: &str,
    statements: Vec<Statement>,
    spared: &[String],
    quota: Quota,
) -> Result<Vec<Document>, TooLarge> {
    let fits = |statements: &[Statement]| size(statements, spared) <= quota.characters;
    let mut documents: Vec<Vec<Statement>> = Vec::new();
    for statement in statements {
        for part in cut(statement, spared, quota)? {
            let home = documents.iter_mut().find(|document| {
                let mut together = document.to_vec();
                together.push(part.clone());
                fits(&together)
            });
            match home {
                Some(document) => document.push(part),
                None => documents.push(vec![part]),
            }
        }
    }
    let document = |(at, statements): (usize, Vec<Statement>)| Document {
        name: format!("{base}-{}", at + 1),
        content: content(&statements, spared),
        controls: statements.iter().filter_map(|statement| statement.control).collect(),
    };
    Ok(documents.into_iter().enumerate().map(document).collect())
}

/// The whole statement where it fits a document of its own; else parts of it that do. A deny of some actions is the same as
/// denies of the parts of its list; a deny of all but some can't be cut.
fn cut(statement: Statement, spared: &[String], quota: Quota) -> Result<Vec<Statement>, TooLarge> {
    let whole = size(std::slice::from_ref(&statement), spared);
    if whole <= quota.characters {
        return Ok(vec![statement]);
    }
    let too_large = |size| TooLarge { sid: statement.sid.clone(), size, most: quota.characters };
    let Actions::Only(actions) = &statement.actions else { return Err(too_large(whole)) };
    let part = |number: usize, actions: Vec<String>| Statement {
        sid: if number == 0 { statement.sid.clone() } else { format!("{}{}", statement.sid, number + 1) },
        actions: Actions::Only(actions),
        ..statement.clone()
    };
    let mut parts: Vec<Statement> = Vec::new();
    let mut here: Vec<String> = Vec::new();
    let mut left = 0;
    for action in actions {
        // The action in quotes and a comma.
        let more = Value::from(action.as_str()).to_string().chars().count() + 1;
        if here.is_empty() || more > left {
            if !here.is_empty() {
                parts.push(part(parts.len(), std::mem::take(&mut here)));
            }
            let alone = size(&[part(parts.len(), vec![action.clone()])], spared);
            left = quota.characters.checked_sub(alone).ok_or_else(|| too_large(alone))?;
        } else {
            left -= more;
        }
        here.push(action.clone());
    }
    if !here.is_empty() {
        parts.push(part(parts.len(), here));
    }
    Ok(parts)
}

fn size(statements: &[Statement], spared: &[String]) -> usize {
    content(statements, spared).chars().count()
}

fn content(statements: &[Statement], spared: &[String]) -> String {
    let statements: Vec<Value> = statements.iter().map(|statement| statement.json(spared)).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// The digest of what a document says. Space and the order of members say nothing; what is no JSON is taken as it is.
pub(in crate::controls) fn digest(content: &str) -> Digest {
    match serde_json::from_str::<Value>(content) {
        // A Value's maps are sorted.
        Ok(value) => Digest::of(value.to_string().as_bytes()),
        Err(_) => Digest::of(content.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denies(sid: &str, actions: usize) -> Statement {
        Statement {
            control: Some(ControlKind::DeniedServices),
            sid: sid.to_owned(),
            actions: Actions::Only((0..actions).map(|n| format!("service{n:03}:*")).collect()),
            resources: Vec::new(),
            conditions: serde_json::Map::new(),
        }
    }

    fn all_but(sid: &str, actions: usize) -> Statement {
        let Actions::Only(list) = denies(sid, actions).actions else { panic!("it is a list") };
        Statement { actions: Actions::AllBut(list), ..denies(sid, 0) }
    }

    const SMALL: Quota = Quota { characters: 600, attached: 10 };

    fn spared() -> Vec<String> {
        vec!["arn:aws:iam::*:role/landfall-write".to_owned()]
    }

    fn packed(statements: &[Statement]) -> Vec<Document> {
        pack("landfall-x", statements.to_vec(), &spared(), SMALL).unwrap()
    }

    #[test]
    fn nothing_asked_is_no_document() {
        assert_eq!(packed(&[]), []);
    }

    #[test]
    fn what_fits_together_is_one_document_and_keeps_its_order() {
        let documents = packed(&[denies("A", 3), all_but("B", 3)]);
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].name, "landfall-x-1");
        let content: Value = serde_json::from_str(&documents[0].content).unwrap();
        assert_eq!(content["Statement"][0]["Sid"], "A");
        assert_eq!(content["Statement"][1]["Sid"], "B");
        assert!(!documents[0].content.contains(": "), "it is minified");
    }

    #[test]
    fn every_document_fits_and_the_first_with_room_is_filled() {
        let documents = packed(&[denies("A", 10), denies("B", 12), denies("C", 1), denies("D", 1)]);
        let sids: Vec<Vec<String>> = documents
            .iter()
            .map(|document| {
                let content: Value = serde_json::from_str(&document.content).unwrap();
                let statements = content["Statement"].as_array().unwrap();
                statements.iter().map(|one| one["Sid"].as_str().unwrap().to_owned()).collect()
            })
            .collect();
        assert_eq!(sids, [vec!["A", "C"], vec!["B", "D"]]);
        assert!(documents.iter().all(|document| document.content.chars().count() <= SMALL.characters));
    }

    #[test]
    fn a_list_that_is_too_long_is_cut_and_loses_nothing() {
        let documents = packed(&[denies("A", 100)]);
        assert!(documents.len() > 3);
        let mut actions = Vec::new();
        for (at, document) in documents.iter().enumerate() {
            assert!(document.content.chars().count() <= SMALL.characters);
            let content: Value = serde_json::from_str(&document.content).unwrap();
            let statement = &content["Statement"][0];
            assert_eq!(statement["Sid"], if at == 0 { "A".to_owned() } else { format!("A{}", at + 1) });
            actions.extend(statement["Action"].as_array().unwrap().clone());
        }
        let Actions::Only(all) = denies("A", 100).actions else { panic!("it is a list") };
        assert_eq!(json!(actions), json!(all));
    }

    #[test]
    fn what_can_t_be_cut_says_by_how_much_it_is_too_large() {
        let all_but = all_but("Regions", 60);
        let size = size(std::slice::from_ref(&all_but), &spared());
        let error = pack("landfall-x", vec![all_but], &spared(), SMALL).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "the statement `Regions` takes {size} characters in a policy of its own, {} more than the 600 that AWS takes",
                size - 600
            )
        );
        let many: Vec<String> = (0..60).map(|n| format!("arn:aws:iam::*:role/role-{n}")).collect();
        assert!(pack("landfall-x", vec![denies("A", 2)], &many, SMALL).is_err());
    }

    #[test]
    fn names_are_told_apart_by_their_number() {
        assert_eq!(base("workloads/production"), "landfall-workloads.production");
        assert!(belongs("landfall-workloads", "landfall-workloads-12"));
        assert!(!belongs("landfall-workloads", "landfall-workloads-1-1"));
        assert!(!belongs("landfall-workloads", "landfall-workloads.production-1"));
        let deep = ["a".repeat(64), "b".repeat(64), "c".repeat(64)].join("/");
        assert!(base(&deep).len() < 120);
        assert_ne!(base(&deep), base(&deep.replace('c', "d")));
    }

    #[test]
    fn how_a_document_is_written_says_nothing() {
        let one = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Sid":"A"}]}"#;
        let other =
            "{ \"Statement\": [ { \"Sid\": \"A\", \"Effect\": \"Deny\" } ],\n \"Version\": \"2012-10-17\" }";
        assert_eq!(digest(one), digest(other));
        assert_ne!(digest(one), digest(&one.replace("Deny", "Allow")));
        assert_ne!(digest("{"), digest("["));
    }
}
