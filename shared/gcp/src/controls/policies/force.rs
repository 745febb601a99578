//! What a constraint forces, and how two of them add up. Pure.
//!
//! Google merges by other rules than people want: a list of allowed values below adds to the one above, and replaces it where it does not
//! inherit (<https://cloud.google.com/resource-manager/docs/organization-policy/understanding-hierarchy>). So what is written below
//! something is first met with it here, and then says all of it.

use std::collections::BTreeSet;

/// What is in force, or asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Force {
    /// Nothing: everything is allowed.
    Free,
    /// A constraint that is on or off is on.
    Enforced,
    /// No value of a list constraint is allowed.
    DenyAll,
    /// Some values are.
    Listed(Lists),
}

/// The values of a list constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lists {
    /// The only ones that are allowed; all where nobody says.
    pub(super) allow: Option<BTreeSet<String>>,
    /// Those that are denied, though they may be allowed.
    pub(super) deny: BTreeSet<String>,
}

/// Whether what is asked is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    Yes,
    /// Why not, for people.
    No(String),
    /// Why nobody can tell, for people.
    Unclear(String),
}

impl Lists {
    /// What is denied is not allowed, and what is not allowed need not be denied.
    pub(super) fn force(mut self) -> Force {
        if let Some(allow) = &mut self.allow {
            allow.retain(|text| !self.deny.iter().any(|denied| covers(denied, text)));
            self.deny.retain(|denied| allow.iter().any(|text| covers(text, denied)));
        }
        match (&self.allow, self.deny.is_empty()) {
            (None, true) => Force::Free,
            (None | Some(_), _) => Force::Listed(self),
        }
    }
}

impl Force {
    /// Only these values.
    pub(super) fn allow(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let allow = Some(texts.into_iter().map(Into::into).collect());
        Force::Listed(Lists { allow, deny: BTreeSet::new() })
    }

    /// None of these values.
    pub(super) fn deny(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Lists { allow: None, deny: texts.into_iter().map(Into::into).collect() }.force()
    }

    /// Both at once: what each of them forces. Where one is a list and the other on or off, it says so.
    pub(super) fn meet(&self, other: &Force) -> Result<Force, String> {
        Ok(match (self, other) {
            (Force::Free, force) | (force, Force::Free) => force.clone(),
            (Force::Enforced, Force::Enforced) => Force::Enforced,
            (Force::Enforced, Force::DenyAll | Force::Listed(_))
            | (Force::DenyAll | Force::Listed(_), Force::Enforced) => {
                return Err("it is taken for on or off here, and for a list of values there".to_owned());
            }
            (Force::DenyAll, Force::DenyAll | Force::Listed(_)) | (Force::Listed(_), Force::DenyAll) => {
                Force::DenyAll
            }
            (Force::Listed(one), Force::Listed(other)) => {
                let allow = match (&one.allow, &other.allow) {
                    (None, allow) | (allow, None) => allow.clone(),
                    (Some(one), Some(other)) => Some(within(one, other)),
                };
                Lists { allow, deny: one.deny.union(&other.deny).cloned().collect() }.force()
            }
        })
    }

    /// Whether nothing at all is left of what was allowed, although nobody denied everything.
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Force::Listed(Lists { allow: Some(allow), .. }) if allow.is_empty())
    }

    /// Whether this, being in force, holds what is asked.
    pub(super) fn holds(&self, asked: &Force) -> Held {
        match (self, asked) {
            (_, Force::Free)
            | (Force::Enforced, Force::Enforced)
            | (Force::DenyAll, Force::DenyAll | Force::Listed(_)) => Held::Yes,
            (_, Force::Enforced) => Held::No("it is not enforced".to_owned()),
            (_, Force::DenyAll) => Held::No("not everything is denied".to_owned()),
            (Force::Free | Force::Enforced, Force::Listed(_)) => Held::No("everything is allowed".to_owned()),
            (Force::Listed(there), Force::Listed(asked)) => holds(there, asked),
        }
    }

    /// How many values it names.
    pub(super) fn values(&self) -> usize {
        match self {
            Force::Free | Force::Enforced | Force::DenyAll => 0,
            Force::Listed(Lists { allow, deny }) => allow.as_ref().map_or(0, BTreeSet::len) + deny.len(),
        }
    }
}

fn holds(there: &Lists, asked: &Lists) -> Held {
    if let Some(allowed) = &asked.allow {
        let Some(now) = &there.allow else {
            return Held::No("everything is allowed that is not denied".to_owned());
        };
        let beyond: Vec<&String> =
            now.iter().filter(|text| !allowed.iter().any(|allowed| covers(allowed, text))).collect();
        if !beyond.is_empty() {
            let beyond = told(beyond);
            return match allowed.iter().find(|text| is_opaque(text)) {
                Some(group) => Held::Unclear(format!("whether {beyond} belongs to `{group}` can't be told")),
                None => Held::No(format!("{beyond} is allowed as well")),
            };
        }
    }
    let open = asked.deny.iter().filter(|text| {
        let denied = there.deny.iter().any(|denied| covers(denied, text));
        let allowed = there
            .allow
            .as_ref()
            .is_none_or(|allow| allow.iter().any(|allowed| covers(allowed, text) || covers(text, allowed)));
        !denied && allowed
    });
    let open: Vec<&String> = open.collect();
    if open.is_empty() { Held::Yes } else { Held::No(format!("{} is not denied", told(open))) }
}

fn told(texts: Vec<&String>) -> String {
    texts.iter().map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

/// What both lists allow, as far as it can be told from their texts.
fn within(one: &BTreeSet<String>, other: &BTreeSet<String>) -> BTreeSet<String> {
    let of = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
        one.iter().filter(|text| other.iter().any(|all| covers(all, text))).cloned().collect()
    };
    of(one, other).into_iter().chain(of(other, one)).collect()
}

/// Whether one value stands for another as well. `in:europe-west1-locations` is the region and its zones, `in:europe-locations` all
/// regions of the continent; what else Google puts into groups is its own business
/// (<https://cloud.google.com/resource-manager/docs/organization-policy/defining-locations>, "Value groups").
fn covers(all: &str, text: &str) -> bool {
    if all == text {
        return true;
    }
    let Some(stem) = stem(all) else { return false };
    let text = self::stem(text).unwrap_or(text);
    text == stem || text.strip_prefix(stem).is_some_and(|rest| rest.starts_with('-'))
}

/// The place that a group of locations is named after.
fn stem(text: &str) -> Option<&str> {
    text.strip_prefix("in:")?.strip_suffix("-locations")
}

/// A group whose members its name does not say: `in:eu-locations`.
fn is_opaque(text: &str) -> bool {
    text.starts_with("in:") && stem(text).is_none_or(|stem| !stem.bytes().any(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEST: &str = "in:europe-west1-locations";
    const EUROPE: &str = "in:europe-locations";

    #[test]
    fn both_at_once_is_never_looser_than_either() {
        let allow_and_deny = |allow: &[&str], deny: &[&str]| {
            let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
            Force::Listed(Lists { allow: Some(texts(allow)), deny: texts(deny) })
        };
        let table = [
            (Force::Free, Force::Enforced, Force::Enforced),
            (Force::allow(["a", "b"]), Force::Free, Force::allow(["a", "b"])),
            (Force::allow(["a", "b"]), Force::allow(["b", "c"]), Force::allow(["b"])),
            (Force::allow([EUROPE]), Force::allow([WEST, "us-east1"]), Force::allow([WEST])),
            (Force::allow([WEST]), Force::allow(["europe-west1-b"]), Force::allow(["europe-west1-b"])),
            (Force::deny(["x"]), Force::deny(["y"]), Force::deny(["x", "y"])),
            (Force::allow(["a", "b"]), Force::deny(["b", "c"]), Force::allow(["a"])),
            (Force::allow([EUROPE]), Force::deny([WEST]), allow_and_deny(&[EUROPE], &[WEST])),
            (Force::DenyAll, Force::allow(["a"]), Force::DenyAll),
        ];
        for (one, other, both) in table {
            assert_eq!(one.meet(&other), Ok(both.clone()), "{one:?} {other:?}");
            assert_eq!(other.meet(&one), Ok(both.clone()), "{other:?} {one:?}");
            for asked in [&one, &other] {
                assert_eq!(both.holds(asked), Held::Yes, "{both:?} {asked:?}");
            }
        }
        assert!(Force::allow(["a"]).meet(&Force::allow(["b"])).unwrap().is_empty());
        assert!(Force::Enforced.meet(&Force::allow(["b"])).is_err());
    }

    #[test]
    fn what_is_in_force_holds_what_is_asked_or_says_why_not() {
        let no = |why: &str| Held::No(why.to_owned());
        let table = [
            (Force::Free, Force::Enforced, no("it is not enforced")),
            (Force::Free, Force::allow(["a"]), no("everything is allowed")),
            (Force::deny(["x"]), Force::allow(["a"]), no("everything is allowed that is not denied")),
            (Force::allow(["a", "c"]), Force::allow(["a", "b"]), no("`c` is allowed as well")),
            (Force::allow(["a"]), Force::allow(["a", "b"]), Held::Yes),
            (Force::allow(["europe-west1-b"]), Force::allow([WEST]), Held::Yes),
            (
                Force::allow(["europe-west10-b"]),
                Force::allow([WEST]),
                no("`europe-west10-b` is allowed as well"),
            ),
            (
                Force::allow(["europe-west1"]),
                Force::allow(["in:eu-locations"]),
                Held::Unclear("whether `europe-west1` belongs to `in:eu-locations` can't be told".to_owned()),
            ),
            (Force::deny(["x"]), Force::deny(["x", "y"]), no("`y` is not denied")),
            (Force::allow(["a"]), Force::deny(["x"]), Held::Yes),
            (Force::allow(["a", "x"]), Force::deny(["x"]), no("`x` is not denied")),
            (Force::DenyAll, Force::deny(["x"]), Held::Yes),
        ];
        for (there, asked, expected) in table {
            assert_eq!(there.holds(&asked), expected, "{there:?} {asked:?}");
        }
    }
}
