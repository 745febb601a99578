//! What the kernel knows of a process: its CPU time and its memory (Linux, `/proc`).

use std::time::Duration;

/// Clock ticks a second in `/proc/<pid>/stat`: 100 on every Linux that Rust runs on (USER_HZ).
const TICKS: u64 = 100;

/// CPU time of a process so far, user and system.
pub(crate) fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name may hold anything, so fields are counted after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let tick = |place: usize| fields.get(place).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    Ok(Duration::from_millis((tick(11) + tick(12)) * 1000 / TICKS))
}

/// CPU time of this process in microseconds, finer than ticks (`/proc/self/schedstat` counts nanoseconds of the main thread only, so
/// every thread's is added).
pub(crate) fn own_cpu() -> anyhow::Result<Duration> {
    let mut nanoseconds = 0u64;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Memory of a process in kB: what is resident now, and the most that ever was.
pub(crate) fn memory(pid: &str) -> anyhow::Result<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Ok((field("VmRSS:"), field("VmHWM:")))
}
