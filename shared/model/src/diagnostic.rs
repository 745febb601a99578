//! What is wrong with what people wrote: where, what, and what to do about it.
//!
//! The codes are stable: scripts and editors may rely on them. Each is one line of the table below, and the documentation
//! is printed from it.

use std::fmt;

use serde::Serialize;

/// A spot in a file; line and column count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// The file, by the name it was handed in with.
    pub file: String,
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", inert(&self.file), self.line, self.column)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// There is no manifest until it is put right.
    Error,
    /// It may be meant, but somebody should look.
    Warning,
}

impl Severity {
    /// The word shown to people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One problem, with everything a person needs to put it right. Ordered by place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// Where it is.
    pub place: Place,
    /// How bad it is.
    pub severity: Severity,
    /// Its stable name, from the table of codes.
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// Other places that have to do with it, each with what is there.
    pub also: Vec<(Place, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Diagnostic { place, severity, code, message, also, help } = self;
        write!(f, "{place}: {}[{code}]: {message}", severity.as_str())?;
        for (place, text) in also {
            write!(f, "\n  {place}: {text}")?;
        }
        match help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// A kind of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Code {
    /// Its stable name.
    pub name: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it means, in one line.
    pub about: &'static str,
}

macro_rules! codes {
    ($($constant:ident $severity:ident $name:literal $about:literal,)*) => {
        /// Every code by its name.
        pub mod code {
            use super::{Code, Severity};
            $(
                #[doc = $about]
                pub const $constant: Code = Code { name: $name, severity: Severity::$severity, about: $about };
            )*
        }

        /// Every kind of problem, in the order of the documentation.
        pub const CODES: &[Code] = &[$(code::$constant),*];
    };
}

codes! {
    // the form
    SYNTAX               Error   "syntax"               "the file is not YAML as Landfall reads it; nothing else in it was looked at",
    UNKNOWN_VERSION      Error   "unknown-version"      "`landfall` names a version of the manifest's form that this program does not read",
    NOT_YET              Error   "not-yet"              "the section has a meaning in the manifest's design, but this version does not read it",
    UNKNOWN_KEY          Error   "unknown-key"          "the key has no meaning here",
    DUPLICATE_KEY        Error   "duplicate-key"        "a key, or a section that may be given once, is given twice",
    MISSING_KEY          Error   "missing-key"          "a key that has no default is not there",
    WRONG_TYPE           Error   "wrong-type"           "something else than the expected kind of value is there",
    WRONG_VALUE          Error   "wrong-value"          "the value has the right kind but can't be meant",
    NUMBER_AS_ID         Error   "number-as-id"         "an id is written as a YAML number, which loses leading zeros; ids are text in quotes",
    MALFORMED_ID         Error   "malformed-id"         "the text is not an id as the cloud writes it",
    BAD_NAME             Error   "bad-name"             "the text can't be a name",
    EMPTY                Error   "empty"                "a list or text that must hold something holds nothing",
    // names
    DUPLICATE_NAME       Error   "duplicate-name"       "a name is defined twice, maybe in two files",
    DUPLICATE_TENANT     Error   "duplicate-tenant"     "a tenant is named twice; it can belong to one project only",
    UNKNOWN_CLOUD        Error   "unknown-cloud"        "no cloud of this name is declared under `clouds`",
    UNKNOWN_UNIT         Error   "unknown-unit"         "no unit of this path is declared under `units`",
    UNKNOWN_TEAM         Error   "unknown-team"         "no team of this name is declared under `teams`",
    UNKNOWN_ROLE         Error   "unknown-role"         "no role of this name is declared under `roles`",
    UNKNOWN_ENVIRONMENT  Error   "unknown-environment"  "the environment is not listed under `environments`",
    UNKNOWN_CONTROL      Error   "unknown-control"      "no control of this name is declared under `controls`, or in the catalog where it is asked",
    UNKNOWN_LANDING_ZONE Error   "unknown-landing-zone" "no landing zone of this name is declared under `landing-zones`",
    UNKNOWN_TENANT       Error   "unknown-tenant"       "no project names this tenant",
    UNKNOWN_PARAMETER    Error   "unknown-parameter"    "the catalog control takes no parameter of this name",
    // meaning
    CYCLE                Error   "cycle"                "landing zones extend each other in a circle",
    WEAKENS              Error   "weakens"              "a lower level asks for less than a higher one demands; inheritance only tightens",
    CONTRADICTS          Error   "contradicts"          "two controls of one level leave nothing that both allow",
    TOO_DEEP             Error   "too-deep"             "units are nested deeper than a declared cloud can nest them",
    IMPLIED_CONTROL      Error   "implied-control"      "the control follows from the manifest's shape and is never listed under `controls`",
    CANNOT_REPAIR        Error   "cannot-repair"        "nothing can be written for this control: it can only be detected",
    CANNOT_EXEMPT        Error   "cannot-exempt"        "nobody can be exempt from this control, because the others rest on it",
    NOT_APPROVED         Error   "not-approved"         "nobody has approved the exemption",
    SELF_APPROVED        Error   "self-approved"        "the exemption is approved by the one who asked for it",
    NO_GROUP             Error   "no-group"             "a team is given a role on a cloud for which it names no group",
    // doubts
    EXPIRED              Warning "expired"              "the exemption's last day is over: it no longer holds",
    UNUSED               Warning "unused"               "nothing uses the control or landing zone",
    UNREACHABLE          Warning "unreachable"          "the intake rule comes after one that takes every tenant",
    LISTED_TWICE         Warning "listed-twice"         "a list in which repetition means nothing repeats an entry",
    NO_ACCESS            Warning "no-access"            "a role is given on a cloud for which it grants nothing",
}

/// The text with control characters made visible, so that no text of a file can steer a terminal.
pub(crate) fn inert(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            let steers = c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            let (plain, escaped) = if steers { (None, Some(c.escape_unicode())) } else { (Some(c), None) };
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(line: u32) -> Place {
        Place { file: "org.yaml".to_owned(), line, column: 3 }
    }

    fn diagnostic(line: u32) -> Diagnostic {
        Diagnostic {
            place: place(line),
            severity: Severity::Error,
            code: code::UNKNOWN_KEY.name,
            message: "`regoins` has no meaning here".to_owned(),
            also: vec![(place(1), "first given here".to_owned())],
            help: Some("did you mean `regions`?".to_owned()),
        }
    }

    #[test]
    fn a_person_reads_place_code_message_other_places_and_help() {
        insta::assert_snapshot!(diagnostic(4), @r"
        org.yaml:4:3: error[unknown-key]: `regoins` has no meaning here
          org.yaml:1:3: first given here
          help: did you mean `regions`?
        ");
    }

    #[test]
    fn a_program_reads_the_same() {
        let json = serde_json::to_value(diagnostic(4)).unwrap();
        assert_eq!(json["place"], serde_json::json!({ "file": "org.yaml", "line": 4, "column": 3 }));
        assert_eq!(json["severity"], "error");
        assert_eq!(json["code"], "unknown-key");
    }

    #[test]
    fn they_sort_by_place() {
        let mut list = [diagnostic(9), diagnostic(2)];
        list.sort();
        assert_eq!(list[0].place.line, 2);
    }

    #[test]
    fn a_file_s_text_can_t_steer_a_terminal() {
        assert_eq!(inert("a\u{1b}[31mb\u{202e}"), r"a\u{1b}[31mb\u{202e}");
    }

    #[test]
    fn codes_are_kebab_case_and_none_is_used_twice() {
        let mut names: Vec<&str> = CODES.iter().map(|code| code.name).collect();
        assert!(names.iter().all(|name| crate::id::is_name(name)));
        assert!(CODES.iter().all(|code| !code.about.ends_with('.') && !code.about.contains('\n')));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), CODES.len());
    }
}
