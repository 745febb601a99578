//! stub
pub(crate) async fn run(_dir: &std::path::Path, _keep: bool) -> anyhow::Result<()> { Ok(()) }
