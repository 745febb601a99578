//! How addresses look in this function's environment.

use landfall_engine::config::Forms;

/// AWS's.
pub const FORMS: Forms = Forms {
    scheme: "s3://",
    bundle: "s3://bucket/key",
    store: "s3://bucket/folder",
    queue: "https://sqs.eu-central-1.amazonaws.com/111111111111/landfall-work",
    sqlite: cfg!(feature = "sqlite"),
};
