//! The name that was probably meant.

/// The nearest of the names to what was typed, where one is near enough to be meant.
pub(crate) fn near<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in a short name, a third of a long one: further away it would be a guess.
    let furthest = (typed.chars().count() / 3).clamp(1, 3);
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(typed, name), name))
        .filter(|(distance, _)| *distance <= furthest)
        .min()
        .map(|(_, name)| name)
}

/// The question that follows an error, or nothing.
pub(crate) fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    near(typed, names).map(|name| format!(": did you mean `{name}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::near;

    #[test]
    fn a_slip_is_understood_and_a_stranger_is_not() {
        let names = ["password-policy", "root-mfa", "units"];
        assert_eq!(near("pasword-policy", names), Some("password-policy"));
        assert_eq!(near("unit", names), Some("units"));
        assert_eq!(near("budget", names), None);
    }
}
