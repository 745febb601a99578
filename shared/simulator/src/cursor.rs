//! Tokens of pages: where the next one begins, and whether the empty one before it was shown already.

/// Hex, so that nobody is tempted to read or build one.
pub(crate) fn write(offset: usize, rested: bool) -> String {
    let plain = format!("{offset}:{}", u8::from(rested));
    plain.bytes().map(|byte| format!("{:02x}", byte ^ 0x5a)).collect()
}

pub(crate) fn read(token: &str) -> Option<(usize, bool)> {
    let bytes = token.as_bytes().chunks(2).map(|pair| {
        let digits = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(digits, 16).ok().map(|byte| byte ^ 0x5a)
    });
    let plain = String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()?;
    let (offset, rested) = plain.split_once(':')?;
    Some((offset.parse().ok()?, rested == "1"))
}
