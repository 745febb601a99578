//! How much fits into one policy: "Organization policies using list constraints cannot have more than 500 individual allowed or denied
//! values, and cannot be more than 32 KB"
//! (<https://cloud.google.com/resource-manager/docs/organization-policy/using-constraints>).

use super::spec::Spec;

const VALUES: usize = 500;

const BYTES: usize = 32 * 1024;

/// By how much a policy is too large, for people.
pub(super) fn over(spec: &Spec) -> Option<String> {
    let values = spec.force().values();
    if values > VALUES {
        return Some(format!("it has {values} values, and Google takes at most {VALUES}"));
    }
    let bytes = serde_json::to_string(spec).map_or(0, |text| text.len());
    (bytes > BYTES).then(|| format!("it has {bytes} bytes, and Google takes at most {BYTES}"))
}

#[cfg(test)]
mod tests {
    use super::super::force::Force;
    use super::*;

    #[test]
    fn what_google_would_not_save_is_told() {
        let of = |count: usize, length: usize| {
            over(&Spec::from(&Force::allow((0..count).map(|n| format!("{n:0length$}")))))
        };
        assert_eq!(of(500, 5), None);
        assert_eq!(of(501, 5).as_deref(), Some("it has 501 values, and Google takes at most 500"));
        assert!(of(500, 100).is_some_and(|why| why.contains("bytes")));
    }
}
