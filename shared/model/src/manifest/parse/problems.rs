//! What is wrong, collected while the files are walked.

use super::super::yaml::At;
use crate::diagnostic::{Code, Diagnostic, Place};

/// A problem under construction.
#[derive(Debug)]
#[must_use]
pub(crate) struct Problem {
    code: Code,
    at: At,
    message: String,
    also: Vec<(At, String)>,
    help: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: Code, at: At, message: impl Into<String>) -> Self {
        Problem { code, at, message: message.into(), also: Vec::new(), help: None }
    }

    /// Another place that has to do with it, and what is there.
    pub(crate) fn also(mut self, at: At, text: impl Into<String>) -> Self {
        self.also.push((at, text.into()));
        self
    }

    /// What to do about it.
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// `did you mean …?`, where a candidate is near; else what could stand there, where that is short.
    pub(crate) fn near<'a>(self, word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        const FEW: usize = 12;
        let candidates: Vec<&str> = candidates.into_iter().collect();
        match near(word, &candidates) {
            Some(near) => self.help(format!("did you mean `{near}`?")),
            None if (1..=FEW).contains(&candidates.len()) => {
                self.help(format!("expected one of {}", candidates.join(", ")))
            }
            None => self,
        }
    }
}

/// The candidate that a mistyped word most likely stands for.
pub(crate) fn near<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    // Long texts are no typing mistakes, and measuring them takes time.
    if word.len() > 80 {
        return None;
    }
    let plain = |text: &str| text.to_lowercase().replace(['_', ' '], "-");
    let word = plain(word);
    let most = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &plain(candidate)), *candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Every problem so far.
#[derive(Debug)]
pub(crate) struct Problems {
    files: Vec<String>,
    list: Vec<Diagnostic>,
}

impl Problems {
    pub(crate) fn new(files: Vec<String>) -> Self {
        Problems { files, list: Vec::new() }
    }

    pub(crate) fn add(&mut self, problem: Problem) {
        let Problem { code, at, message, also, help } = problem;
        self.list.push(Diagnostic {
            place: self.place(at),
            severity: code.severity,
            code: code.name,
            message,
            also: also.into_iter().map(|(at, text)| (self.place(at), text)).collect(),
            help,
        });
    }

    /// All of them, ordered by place.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort();
        self.list.dedup();
        self.list
    }

    fn place(&self, At { file, line, column }: At) -> Place {
        Place { file: self.files.get(file).cloned().unwrap_or_default(), line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_suggested_and_a_far_one_is_not() {
        let keys = ["regions", "roles", "landing-zone", "home-region"];
        let table = [
            ("regoins", Some("regions")),
            ("landing_zone", Some("landing-zone")),
            ("Roles", Some("roles")),
            ("budget", None),
            ("x", None),
        ];
        for (word, expected) in table {
            assert_eq!(near(word, &keys), expected, "{word}");
        }
    }
}
