//! What Landfall's identities on Azure are permitted, against what Microsoft publishes.

use landfall_azure::permissions::needed;
use landfall_engine::permissions::{Purpose, whole_catalog};
use landfall_tests::judges::python;
use serde_json::json;

/// Microsoft's own clients know an operation for each action.
#[test]
fn every_action_stands_for_an_operation_of_microsoft_s_clients() {
    let needed = needed(Purpose::Apply, &whole_catalog());
    let actions: Vec<&str> = needed.permissions().collect();
    let verdict = python("check_actions.py", &[], &json!(actions).to_string());
    assert!(verdict.content, "no operation has these actions:\n{}{}", verdict.said, verdict.complained);
    // The judge does tell one that nobody has.
    let verdict = python("check_actions.py", &[], r#"["Microsoft.Resources/tags/reed"]"#);
    assert_eq!((verdict.content, verdict.said.trim()), (false, "Microsoft.Resources/tags/reed"));
}
