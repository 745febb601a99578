//! Ids that look like AWS's and are the same in every run: hashes of what they name, never random.

/// 64 well-mixed bits of `text`: FNV-1a, then the finalizer of splitmix64. Not for secrets.
fn mix(text: &str, round: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ round.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    finish(hash)
}

fn finish(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// `digits` lower-case hex digits that stand for `text`.
pub(crate) fn hex(text: &str, digits: usize) -> String {
    let mut found = String::with_capacity(digits + 16);
    let mut round = 0;
    while found.len() < digits {
        found.push_str(&format!("{:016x}", mix(text, round)));
        round += 1;
    }
    found.truncate(digits);
    found
}

/// `count` characters of `A-Z2-7`, as access keys and role ids use.
pub(crate) fn bytes(text: &str, count: usize) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    hex(text, count * 2)
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .filter_map(|byte| LETTERS.get(usize::from(byte % 32)).map(|letter| char::from(*letter)))
        .collect()
}

/// The shape of a UUID, as request and message ids have.
pub(crate) fn uuid(text: &str) -> String {
    let digits = hex(text, 32);
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

/// The id of the `n`th answer.
pub(crate) fn request_id(n: u64) -> String {
    uuid(&format!("request{n}"))
}

/// A number in 0..1 for one call: the same seed and call number always fall the same way.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 of 64 bits are kept on purpose: that is what an f64 holds"
)]
pub(crate) fn unit_interval(seed: u64, salt: u64, n: u64) -> f64 {
    let mixed = finish(finish(seed ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(n));
    (mixed >> 11) as f64 / (1_u64 << 53) as f64
}
