//! The built-in initiatives that stand for published standards, by short names.
//!
//! Only those that can be assigned as they are: every policy in them audits, or is attested by hand, and every parameter has a default.
//! Azure refuses one with a policy that could change resources without an identity, as NIST SP 800-53 Rev. 5 (179d1daa-…) and ISO
//! 27001:2013 (89c6cddc-…) are; here their successors stand. Clouds apart have the first alone, and some of the others that audit there
//! as well.
//!
//! Ids: <https://github.com/Azure/azure-policy>, built-in-policies/policySetDefinitions, April 2026; the file is named beside each, in
//! "Regulatory Compliance" but for the first.

use std::borrow::Cow;

use landfall_model::id::Digest;

/// Short name, id, and what people call it.
const KNOWN: [(&str, &str, &str); 14] = [
    // Security Center/AzureSecurityCenter.json
    ("mcsb", "1f3afdf9-d0c9-4c3d-847f-89da613e70a8", "Microsoft cloud security benchmark"),
    // CIS_Azure_Foundations_v3.0.0.json
    ("cis-azure-3.0", "470a962c-86a0-433b-803a-3c176b5ce79c", "CIS Azure Foundations 3.0.0"),
    // CIS_Controls_v8.1.json
    ("cis-controls-8.1", "046796ef-e8a7-4398-bbe9-cce970b1a3ae", "CIS Controls 8.1"),
    // DORA_2022_2554.json
    ("dora", "f9c0485f-da8e-43b5-961e-58ebd54b907c", "DORA, EU 2022/2554"),
    // EU_GDPR_2016_679.json
    ("gdpr", "7326812a-86a4-40c8-af7c-8945de9c4913", "GDPR, EU 2016/679"),
    // HITRUST_CSF_v11.3.json
    ("hitrust-csf-11.3", "e0d47b75-5d99-442a-9d60-07f2595ab095", "HITRUST CSF 11.3"),
    // ISO_IEC_27001_2022.json
    ("iso-27001-2022", "5e4ff661-23bf-42fa-8e3a-309a55091cc7", "ISO/IEC 27001:2022"),
    // ISO_IEC_27017_2015.json
    ("iso-27017-2015", "f48ecfa6-581c-43f9-8141-cd4adc72cf26", "ISO/IEC 27017:2015"),
    // EU_2555_(NIS2)_2022.json
    ("nis2", "42346945-b531-41d8-9e46-f95057672e88", "NIS2, EU 2022/2555"),
    // NIST_SP_800-53_R5.1.1.json
    ("nist-800-53-r5", "60205a79-6280-4e20-a147-e2011e09dc78", "NIST SP 800-53 Rev. 5.1.1"),
    // NIST_SP_800-171_R3.json
    ("nist-800-171-r3", "38916c43-6876-4971-a4b1-806aa7e55ccc", "NIST SP 800-171 Rev. 3"),
    // NIST_CSF_v2.0.json
    ("nist-csf-2.0", "184a0e05-7b06-4a68-bbbe-13b8353bc613", "NIST CSF 2.0"),
    // PCI_DSS_V4.0.json
    ("pci-dss-4.0", "c676748e-3af9-4e22-bc28-50feed564afb", "PCI DSS 4.0"),
    // SOC_2023.json
    ("soc-2023", "53ad89f5-8542-49e9-ba81-1cbd686e0d52", "SOC 2023"),
];

/// How many digits tell an initiative without a short name from others: what the length of an assignment's name leaves.
const DIGITS: usize = 16;

/// An initiative, as it is assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Initiative {
    /// The name of its assignment.
    pub(super) assigned: Cow<'static, str>,
    /// What people read in lists.
    pub(super) title: Cow<'static, str>,
    /// The last part of its id.
    pub(super) id: String,
}

/// The initiative of a short name or an id. What is neither Azure refuses by itself, and nothing else with it.
pub(super) fn named(standard: &str) -> Initiative {
    let same = |other: &str| other.eq_ignore_ascii_case(standard);
    if let Some((name, id, title)) = KNOWN.iter().find(|(name, id, _)| same(name) || same(id)) {
        return Initiative {
            // Names of assignments have no dots.
            assigned: format!("lf-std-{}", name.replace('.', "-")).into(),
            title: format!("assessed by {title}").into(),
            id: (*id).to_owned(),
        };
    }
    let id = standard.to_ascii_lowercase();
    let digest = Digest::of(id.as_bytes()).to_string();
    Initiative {
        assigned: format!("lf-std-{}", digest.get(..DIGITS).unwrap_or(&digest)).into(),
        title: "assessed by an initiative that the manifest names by its id".into(),
        id,
    }
}

#[cfg(test)]
mod tests {
    use super::super::assignment::LONGEST_NAME;
    use super::*;

    #[test]
    fn every_short_name_stands_for_one_initiative_and_fits() {
        for (name, id, title) in KNOWN {
            let initiative = named(name);
            assert_eq!((initiative.id.as_str(), named(&id.to_ascii_uppercase())), (id, initiative.clone()));
            assert!(
                initiative.assigned.len() <= LONGEST_NAME && !initiative.assigned.contains('.'),
                "{name}"
            );
            assert!(initiative.title.ends_with(title));
            let others = KNOWN.iter().filter(|other| other.0 == name || other.1 == id);
            assert_eq!(others.count(), 1, "{name}");
        }
    }

    #[test]
    fn an_initiative_without_a_short_name_is_told_apart_by_its_id() {
        let (one, other) = (named("89c6cddc-1c73-4ac1-b19c-54d1a15a42f2"), named("7-seven"));
        assert!(one.assigned.len() <= LONGEST_NAME && one.assigned != other.assigned);
        assert_eq!(one, named("89C6CDDC-1C73-4AC1-B19C-54D1A15A42F2"));
        assert_eq!(other.id, "7-seven");
    }

    #[test]
    fn the_manual_page_lists_every_short_name() {
        let manual = landfall_model::catalog::standards_assessment::ENTRY.manual;
        for (name, ..) in KNOWN {
            assert!(manual.contains(name), "{name}");
        }
    }
}
